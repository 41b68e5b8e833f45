"""A base policy and the training images of a seed -> the policy with the best offsets, by its own chains on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from clincot.chain.steps import Steps
from clincot.lm.requests import GenerateRequest
from clincot.phantom.v2.critic.rows import CHOICES
from clincot.phantom.v2.gates.statements import NONE, PREFIX
from clincot.phantom.v2.policy.chains import seen_at
from clincot.phantom.v2.texts.statements import PARTS
from clincot.records import Box, Example
from clincot.stages.evaluate.predictions import Prediction
from study.calibrated import Calibrated, by_kind, fitted_cuts, fitted_offsets
from study.truth import cached_layout, finding_level
from study.world import radiograph

Answered = Callable[[Calibrated, str], Sequence[Prediction]]  # an engine and its name -> its chains about the images


def fitted(engine: Calibrated, examples: Sequence[Example], steps: Steps, answered: Answered) -> Calibrated:
    """Fit offsets of findings on the chains of the base, then those of answers on the chains with these findings."""
    known = {example.id: example for example in examples}
    chains = [(known[p.example_id], p) for p in answered(engine, "plain") if p.regions]
    asked = [
        (_request(steps, e, p.findings[: step - 1], p.regions[step - 1].box, step), e, p.regions[step - 1].box)
        for e, p in chains
        for step in range(1, steps.count)
    ]
    odds, texts, groups = engine.odds([request for request, _, _ in asked])
    some = np.array([_truth(text, e, box) for text, (_, e, box) in zip(texts, asked, strict=True)])
    none = np.array([_truth(f"{PREFIX}{NONE} nodule.", e, box) for _, e, box in asked])
    shifted = Calibrated(engine.engine, fitted_cuts(odds, groups, some, none))
    chains = [(known[p.example_id], p) for p in answered(shifted, "findings") if p.regions]
    last = [
        (_request(steps, e, p.findings, p.regions[-1].box, steps.count), e.answer)
        for e, p in chains
        if e.answer in CHOICES.get(e.kind, ())
    ]
    requests = [request for request, _ in last]
    logs, gold = by_kind(requests, shifted.answer_logs(requests), [answer for _, answer in last])
    return Calibrated(engine.engine, shifted.cuts, fitted_offsets(logs, gold))


def _request(steps: Steps, example: Example, findings: Sequence[str], box: Box, step: int) -> GenerateRequest:
    shown = tuple(seen_at(radiograph(example), box))
    messages = tuple(steps.messages(example, step, findings))
    return GenerateRequest(messages, shown, 0, 0.0, 1.0, steps.length(example, step))


def _truth(text: str, example: Example, box: Box) -> float:
    return finding_level(text, cached_layout(example.image_id), box) / PARTS
