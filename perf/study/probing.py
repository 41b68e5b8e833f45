"""A policy and drawn images -> what it believes of regions around every object, and how it orders statements about one.

Neither depends on a proposer: the regions hold each object, lesions and distractors alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel

from clincot.chain.prompts import finding_messages
from clincot.engines.base import Engine
from clincot.lm.requests import ChoiceRequest, GenerateRequest
from clincot.phantom.policy.network import load_policy
from clincot.phantom.v2.critic.rows import Group, finding_group
from clincot.phantom.v2.draw import Radiograph
from clincot.phantom.v2.gates.statements import NONE, PREFIX, SOME, regions
from clincot.phantom.v2.policy.chains import Policy, seen_at
from clincot.phantom.v2.policy.looks import around
from clincot.phantom.v2.texts.wording import ASKED
from study.calibrated import Calibrated

LONGEST = 24  # tokens of a finding
ENDLESS = 20.0  # nats: an offset beyond it is as good as endless
SEED = 0  # of the regions and statements: the same for all rows
BATCH = 32


def open_policy(folder: Path, adapter: Path | None) -> Policy:
    """Load a policy with its adapter."""
    torch.set_num_threads(1)
    model, processor = load_policy(folder)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    return Policy(model.eval(), processor)


def nodule_odds(engine: Engine, bank: Sequence[Radiograph]) -> np.ndarray:
    """Return, for every object of every image, the log-odds that the finding of its region names a nodule.

    Those of a calibrated policy have its offsets taken away.
    """
    requests = [
        GenerateRequest(
            tuple(finding_messages(ASKED["count"][0], ())), tuple(seen_at(drawn, box)), 0, 0.0, 1.0, LONGEST
        )
        for drawn, box in regions(bank, SEED)
    ]
    if isinstance(engine, Calibrated):
        odds, _, groups = engine.odds(requests)
        return odds - np.array([np.clip(engine.cuts.get(group, 0.0), -ENDLESS, ENDLESS) for group in groups])
    asked = [ChoiceRequest(r.messages, r.images, (NONE, *SOME), PREFIX) for r in requests]
    logs = np.array([scores.logps for scores in engine.score_choices(asked)])
    shifted: np.ndarray = np.logaddexp.reduce(logs[:, 1:], axis=1) - logs[:, 0]
    return shifted


def statement_groups(bank: Sequence[Radiograph]) -> list[tuple[Radiograph, object, Group]]:
    """Return a region of each image with statements about it that are right to different degrees."""
    made = []
    for drawn in bank:
        rng = np.random.default_rng([SEED, drawn.layout.seed, drawn.layout.index, 44])
        box = around(drawn.layout.things[int(rng.integers(len(drawn.layout.things)))], rng)
        made.append((drawn, box, finding_group(drawn.layout, box, rng)))
    return made


def concordance(policy: Policy, bank: Sequence[Radiograph]) -> list[tuple[int, int]]:
    """Return, for each image, the pairs of statements that the policy's log-probability orders rightly and wrongly.

    Kendall's tau over pairs of different truth is (rightly - wrongly) / all.
    """
    groups = statement_groups(bank)
    asked = [(drawn, box, group.question, text) for drawn, box, group in groups for text in group.texts]
    scores = iter(np.concatenate([_logps(policy, asked[i : i + BATCH]) for i in range(0, len(asked), BATCH)]))
    found = []
    for _, _, group in groups:
        rated = [(level, float(next(scores))) for level in group.levels]
        signs = [
            np.sign((level - other) * (score - its))
            for i, (level, score) in enumerate(rated)
            for other, its in rated[:i]
            if level != other
        ]
        found.append((int(sum(sign > 0 for sign in signs)), int(sum(sign < 0 for sign in signs))))
    return found


def _logps(policy: Policy, asked: Sequence[tuple]) -> np.ndarray:
    """Return the log-probability of each text after its prompt, end token left out."""
    processor = policy.processor
    texts, images, starts = [], [], []
    for drawn, box, question, text in asked:
        prompt = processor.apply_chat_template(finding_messages(question, ()), add_generation_prompt=True)
        texts.append(prompt + text)
        images.append(seen_at(drawn, box))
        starts.append(len(processor.tokenizer(text, add_special_tokens=False)["input_ids"]))
    inputs = processor(images=images, text=texts, padding=True, add_special_tokens=False, return_tensors="pt")
    with torch.inference_mode():
        logs = policy.model(**inputs).logits[:, :-1].float().log_softmax(-1)
    tokens = logs.gather(-1, inputs["input_ids"][:, 1:, None])[..., 0]
    real = inputs["attention_mask"][:, 1:].bool()
    return np.array([float(row[keep][-count:].sum()) for row, keep, count in zip(tokens, real, starts, strict=True)])
