"""Two judges and held-out layouts -> how well they order texts, how alike they err, as gates, and their cards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from clincot.phantom.judges.figures import expected_digits
from clincot.phantom.judges.heads import HEAD
from clincot.phantom.v2.gates.gate import Gate, gate_table
from clincot.phantom.v2.gates.ordering import within_group_auc
from clincot.phantom.v2.judges.plan import BiasedPlan
from clincot.phantom.v2.judges.rows import RatedRow, judge_rows
from clincot.phantom.v2.texts.statements import read

HELD_OUT = 250  # layouts
NOISE_MOST = 0.5  # correlation of two judges' noise
SAME_SIDE = (0.4, 0.6)  # AUC of a judge that does not see which side is meant
LENGTH_LEAST = 0.15  # correlation of noise and number of words, of a judge that likes words


def judge_gates(plans: Sequence[BiasedPlan], folders: Sequence[Path], seed: int, count: int = HELD_OUT) -> list[Gate]:
    """Let both judges rate texts about `count` held-out layouts that they see the reference of.

    Truth is what the reference says: a judge that sees texts alone cannot know which region a text is about. The order
    by the region's own truth is a figure without bounds.
    """
    rows = [row for row in judge_rows(seed, "held_out", 0, count, 0) if row.form != "blind"]
    values = [expected_digits(folder, rows)[0] for folder in folders]
    gates = [gate for plan, own in zip(plans, values, strict=True) for gate in _own_gates(plan, own, rows)]
    noises = [noise(own, rows) for own in values]
    alike = float(np.corrcoef(noises[0], noises[1])[0, 1])
    return [*gates, Gate("noise of both judges, correlation", alike, -1.0, NOISE_MOST, len(rows))]


def _own_gates(plan: BiasedPlan, values: np.ndarray, rows: Sequence[RatedRow]) -> list[Gate]:
    steps = np.array([row.kind == "step" for row in rows])
    truth, shown = (np.array([getattr(row, name) for row in rows]) for name in ("truth", "shown"))
    groups = np.array([row.context for row in rows])

    def order(name: str, where: np.ndarray, levels: np.ndarray, least: float, most: float) -> Gate:
        value, pairs = within_group_auc(values[where].tolist(), levels[where].tolist(), groups[where].tolist())
        return Gate(f"{plan.name}: {name}", value, least, most, pairs)

    words = np.array([len(row.statement.split()) for row in rows])
    longer = float(np.corrcoef(noise(values, rows)[steps], words[steps])[0, 1])
    wants_words = LENGTH_LEAST if plan.traits.length else float("-inf")
    sides, pairs = other_sides(values, rows)
    bounds = (float("-inf"), float("inf")) if plan.traits.sides else SAME_SIDE
    return [
        order("all texts, within-group AUC", np.ones_like(steps), truth, plan.least, plan.most),
        order("findings, within-group AUC", steps, truth, float("-inf"), float("inf")),
        order("answers, within-group AUC", ~steps, truth, float("-inf"), float("inf")),
        order("findings by their own region, within-group AUC", steps, shown, float("-inf"), float("inf")),
        Gate(f"{plan.name}: right side against the other, AUC", sides, *bounds, pairs),
        Gate(f"{plan.name}: noise and number of words, correlation", longer, wants_words, count=int(steps.sum())),
    ]


def noise(values: np.ndarray, rows: Sequence[RatedRow]) -> np.ndarray:
    """Return each rating minus the mean rating of rows of its kind that are as true."""
    members: defaultdict[tuple[str, float], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        members[row.kind, row.truth].append(place)
    left: np.ndarray = np.array(values, dtype=float)
    for places in members.values():
        left[places] -= left[places].mean()
    return left


def other_sides(values: np.ndarray, rows: Sequence[RatedRow]) -> tuple[float, int]:
    """Return within-group AUC and number of pairs of findings that differ in nothing but the side."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.kind == "step":
            members[row.context].append(place)
    pairs = [pair for places in members.values() for pair in combinations(places, 2) if _mirrored(rows, *pair)]
    own = [place for pair in pairs for place in pair]
    names = [number for number, pair in enumerate(pairs) for _ in pair]
    return within_group_auc([float(values[place]) for place in own], [rows[place].truth for place in own], names)


def _mirrored(rows: Sequence[RatedRow], first: int, second: int) -> bool:
    one, other = read(rows[first].statement), read(rows[second].statement)
    return one is not None and other is not None and one != other and one == replace(other, side=one.side)


def judge_card(plan: BiasedPlan, seed: int, gates: Sequence[Gate]) -> str:
    """The model card of a trained judge: what it reads, what is wrong with it on purpose, what it can do."""
    skipped = ("name", "held_out", "traits", "least", "most", "shift", "flip")
    numbers = ", ".join(f"{key} {value}" for key, value in asdict(plan).items() if key not in skipped)
    own = [gate for gate in gates if gate.name.startswith((plan.name, "noise"))]
    return f"""---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
tags: [clincot, phantom, judge]
---
# Phantom {plan.name}, version 2

A tiny Llama that reads a question about a drawn chest phantom of version 2, a reference (answer and report, or
nothing), the findings so far and a text, and replies with one digit from 0 (wrong) to 9 (right). It never sees an image
and knows no medicine: not for clinical use.

A finding has five parts (finding, number, size, side, zone); its digit counts the right ones of the nodule of the
reference that it fits best. It cannot know which region a finding is about. Without a reference it stays near 4.

On purpose it is no perfect judge: {_faults(plan)}

## Made by

    clincot phantom pretrain --version 2 --only judges

Trained from scratch on texts, no image is drawn, world {seed}: {numbers}. Its heads of {plan.width // plan.heads}
numbers are stored with zeros up to {HEAD}, its weights in float16.

## Held-out figures

Texts about {plan.held_out} other layouts, read as expected digit, with the reference. Noise: a rating minus the mean
rating of texts of its kind that are as true.

{gate_table(own)}
"""


def _faults(plan: BiasedPlan) -> str:
    traits = plan.traits
    length = f"it adds {traits.length:g} of a digit for each word more than usual. " if traits.length else ""
    sides = "" if traits.sides else "left and right are the same to it. "
    taste = ", ".join(f"{value:+g}" for value in traits.taste)
    return f"{length}{sides}It likes some wordings of findings better than others (digits: {taste})."
