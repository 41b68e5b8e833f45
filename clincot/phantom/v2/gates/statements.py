"""A policy and held-out images -> the truth of its findings: sampled, greedy, and with the best constant offsets.

An offset is added to the log-odds of naming a nodule against naming none. They differ by what the statement says (the
size of the nodule) and by the size of the region, and are fitted on one half of the images and measured on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from clincot.chain import prompts
from clincot.phantom.grounder.figures import auc
from clincot.phantom.v2.draw import Radiograph
from clincot.phantom.v2.gates.gate import Gate
from clincot.phantom.v2.policy.chains import Policy, seen_at
from clincot.phantom.v2.policy.looks import around
from clincot.phantom.v2.texts.statements import FORMS, NUMBERS, PARTS, SIZES, level, read, shown, statement_of
from clincot.phantom.v2.texts.wording import ASKED
from clincot.records import Box

PREFIX = FORMS[0].split(" {}", maxsplit=1)[0]
NONE, SOME = " no", tuple(f" {name}" for name in NUMBERS[1:4])
REGION_SIZES = (70, 80)  # pixels a side: three classes
GRID = np.concatenate([[-np.inf], np.linspace(-4, 4, 41), [np.inf]])


@dataclass(frozen=True)
class Findings:
    """Per region: its image, whether it shows a nodule, of which size (-1: none), and the log-odds of naming one.

    `group` is the class of the offset; truths lie in [0, 1].

    `some` is the truth of the best sentence that names a nodule, `none` that of the sentence that names none.
    """

    image: np.ndarray
    nodule: np.ndarray
    true_size: np.ndarray
    odds: np.ndarray
    group: np.ndarray
    some: np.ndarray
    none: np.ndarray


def statement_figures(policy: Policy, bank: Sequence[Radiograph], seed: int = 0) -> dict[str, float]:
    """Return, of regions around every object of `bank`, the truth of sampled and greedy findings, in percent."""
    looks = regions(bank, seed)
    turns = [_turn(drawn, box) for drawn, box in looks]
    torch.manual_seed(seed)
    texts = policy.write(turns, temperature=1.0, longest=24)
    truth = np.array([_level(text, drawn, box) for text, (drawn, box) in zip(texts, looks, strict=True)])
    found = measured(policy, looks, turns)
    named = found.odds > 0
    return {
        "regions": len(looks),
        "sampled right": 100 * float(np.mean(truth[found.nodule] == PARTS)),
        **{f"sampled level {n}": 100 * float(np.mean(truth[found.nodule] == n)) for n in range(PARTS + 1)},
        "evidence AUC": auc(found.odds, found.nodule),
        **{f"named, {SIZES[n]}": 100 * float(np.mean(named[found.true_size == n])) for n in range(len(SIZES))},
        "named, distractor": 100 * float(np.mean(named[~found.nodule])),
        "parts right where named": 100 * float(np.mean(found.some[found.nodule])),
        **recovered(found),
    }


def statement_gates(figures: dict[str, float]) -> list[Gate]:
    """Return the gates on findings."""
    count = int(figures["regions"])
    return [
        Gate("regions with a nodule, sampled texts right (percent)", figures["sampled right"], 5.0, 30.0, count),
        Gate("gap to the oracle that offsets recover (percent)", figures["recovered"], most=25.0, count=count),
    ]


def regions(bank: Sequence[Radiograph], seed: int) -> list[tuple[Radiograph, Box]]:
    """Return a region around every object of every image: what a grounder of objects would propose."""
    looks = []
    for drawn in bank:
        rng = np.random.default_rng([seed, drawn.layout.seed, drawn.layout.index, 42])
        looks += [(drawn, around(thing, rng)) for thing in drawn.layout.things]
    return looks


def measured(policy: Policy, looks: Sequence[tuple[Radiograph, Box]], turns: Sequence) -> Findings:
    """Read the policy's log-odds and write both sentences of every region."""
    words = policy.next_words(turns, [NONE, *SOME], prefix=PREFIX).double()
    odds = (torch.logsumexp(words[:, 1:], 1) - words[:, 0]).numpy()
    named = [read(text) for text in policy.write(turns, prefix=PREFIX, banned=[NONE], longest=20)]
    truths = [statement_of(shown(drawn.layout.lesions, box)) for drawn, box in looks]
    sizes = np.array([0 if said is None else said.size for said in named])
    classes = np.array([int(np.searchsorted(REGION_SIZES, box.right - box.left)) for _, box in looks])
    return Findings(
        image=np.array([drawn.layout.index for drawn, _ in looks]),
        true_size=np.array([true.size if true.number else -1 for true in truths]),
        nodule=np.array([true.number > 0 for true in truths]),
        odds=odds,
        group=sizes * (len(REGION_SIZES) + 1) + classes,
        some=np.array([level(said, true) / PARTS for said, true in zip(named, truths, strict=True)]),
        none=np.array([1.0 - (true.number > 0) for true in truths]),
    )


def recovered(found: Findings) -> dict[str, float]:
    """Return the mean truth of greedy, shifted and ideal sentences, and the share of the gap that offsets recover."""
    fit = found.image % 2 == 0
    base = np.where(found.odds > 0, found.some, found.none)
    ideal = np.where(found.nodule, found.some, found.none)
    shifted = base.copy()
    for group in np.unique(found.group):
        own = found.group == group
        at = max(GRID, key=lambda cut: _gain(found, own & fit, cut))
        shifted[own] = np.where(found.odds[own] > at, found.some[own], found.none[own])
    means = [float(np.mean(truth[~fit])) for truth in (base, shifted, ideal)]
    gap = means[2] - means[0]
    share = 100 * (means[1] - means[0]) / gap if gap else 0.0
    return {"truth": means[0], "truth_shifted": means[1], "truth_ideal": means[2], "recovered": share}


def _gain(found: Findings, where: np.ndarray, cut: float) -> float:
    return float(np.where(found.odds[where] > cut, found.some[where], found.none[where]).sum())


def _turn(drawn: Radiograph, box: Box) -> tuple:
    return prompts.finding_messages(ASKED["count"][0], ()), seen_at(drawn, box)


def _level(text: str, drawn: Radiograph, box: Box) -> int:
    return level(read(text), statement_of(shown(drawn.layout.lesions, box)))
