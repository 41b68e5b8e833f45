"""A critic and held-out images of version 2 -> how well it orders texts about a crop, as gates, and its card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from clincot.images import encode_png
from clincot.judges.base import JudgeRequest
from clincot.judges.vlm import VlmJudge
from clincot.phantom.v2.critic.rows import Group, answer_group, finding_group
from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.gates.gate import Gate, gate_table
from clincot.phantom.v2.gates.ordering import within_group_auc
from clincot.phantom.v2.objects import RANGES
from clincot.phantom.v2.policy.looks import chain_of

LEAST, MOST = 0.75, 0.85  # within-group AUC; the aim is about .80


def critic_gates(folder: Path, seed: int, count: int) -> list[Gate]:
    """Rate statements and answers of `count` held-out images through the toolkit's own judge that sees."""
    rng = np.random.default_rng([seed, 42])
    judge = VlmJudge.from_pretrained(folder, name="critic", key="critic", batch_size=32)
    findings: list[tuple[Group, tuple[bytes, ...]]] = []
    answers: list[tuple[Group, tuple[bytes, ...]]] = []
    for number in range(count):
        drawn = draw(seed, RANGES["held_out"] + number)
        crop = chain_of(drawn.layout, 1, rng)[0]
        image = Image.fromarray(drawn.image).convert("RGB")
        shown = (encode_png(image), encode_png(image.crop(crop)))
        findings.append((finding_group(drawn.layout, crop, rng), shown))
        made = answer_group(drawn.layout, crop, rng)
        answers += [(made, shown)] if made else []
    return [
        _gate("findings of a crop", judge, findings, LEAST, MOST),
        _gate("answers with a crop", judge, answers),
    ]


def _gate(
    name: str,
    judge: VlmJudge,
    groups: Sequence[tuple[Group, tuple[bytes, ...]]],
    least: float = 0.0,
    most: float = 1.0,
) -> Gate:
    requests = [
        JudgeRequest(group.question, None, group.findings, text, report=group.report, images=shown)
        for group, shown in groups
        for text in group.texts
    ]
    scores = [rating.value for rating in judge.rate(requests)]
    levels = [level for group, _ in groups for level in group.levels]
    places = [place for place, (group, _) in enumerate(groups) for _ in group.texts]
    value, pairs = within_group_auc(scores, levels, places)
    return Gate(f"{name}: within-group AUC", value, least, most, pairs)


def critic_card(gates: Sequence[Gate], seed: int) -> str:
    """The model card of a trained critic: what it is, how it was made, what it can do."""
    return f"""---
license: apache-2.0
library_name: transformers
tags: [clincot, phantom, critic]
---
# Phantom critic, version 2

Rates a statement about a drawn chest phantom of version 2 from the image and a crop, without a reference (judging
`context: blind`), with a digit from 0 to 9. It has seen no real radiograph: not for clinical use.

A tiny LLaVA with the policy's architecture, trained on separate images: first its vision tower, then the rest.
The texts it learned to rate state number, size, side and zone of nodules, right in none to all of these parts.

## Made by

    clincot phantom pretrain --version 2 --only critic

Seed {seed}.

## Held-out figures

Pairs of texts about one crop of a held-out image that are right to a different degree.

{gate_table(gates)}
"""
