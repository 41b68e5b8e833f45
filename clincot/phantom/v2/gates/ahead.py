"""A policy and held-out images -> how often look-ahead changes the best text of a step, when an oracle rates all texts.

The oracle gives a finding the share of its parts that are right for its own region, and an answer 1 or 0. As in a
build, every region of a step has a candidate, is followed by texts that see the same region, and the best one extends
the chain; a region is not looked at twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from clincot.chain import prompts
from clincot.judges.lookahead import total
from clincot.phantom.policy.network import load_policy
from clincot.phantom.texts.questions import Question
from clincot.phantom.v2.draw import Radiograph, draw
from clincot.phantom.v2.gates.gate import Gate
from clincot.phantom.v2.gates.looking import STEPS, right
from clincot.phantom.v2.objects import RANGES
from clincot.phantom.v2.policy.chains import LONGEST, Policy, seen_at
from clincot.phantom.v2.policy.looks import around
from clincot.phantom.v2.texts.questions import questions
from clincot.phantom.v2.texts.statements import PARTS, level, read, shown, statement_of
from clincot.records import Box

LEAST = 25.0  # percent of the groups
GAMMA, SAMPLES = 0.5, 2  # as recipes/clincot.yaml weighs and samples next responses
TEMPERATURE = 0.7
SENTENCE = 24  # tokens of a finding
REGIONS = 6  # of an image, at most
IMAGES = 100


@dataclass
class Chain:
    """One question with the regions that are left to look at and the texts so far."""

    drawn: Radiograph = field(repr=False)
    question: Question
    left: list[Box]
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """One group of candidates: whether look-ahead picks another one, and whether one with a lower own score."""

    step: int
    other: bool
    lower: bool


def ahead_gates(policy: Policy, bank: Sequence[Radiograph], seed: int = 0, *, gamma: float = GAMMA) -> list[Gate]:
    """Return the share of groups whose best text look-ahead changes, in percent, over all steps but the last.

    The first gate counts as a build picks, the first of equals. The others are figures: by step, and groups whose pick
    has a lower own score, which no tie explains. One image costs about six candidates and twelve texts a step.
    """
    torch.manual_seed(seed)
    groups = _walk(policy, _chains(bank, seed), gamma)
    return [
        _gate("look-ahead changes the best text (percent of groups)", [g.other for g in groups], LEAST),
        *(
            _gate(f"... of step {step}", [g.other for g in groups if g.step == step], float("-inf"))
            for step in range(1, STEPS)
        ),
        _gate("look-ahead picks a text of a lower score (percent)", [g.lower for g in groups], float("-inf")),
    ]


def policy_ahead_gates(folder: Path, seed: int = 0, *, images: int = IMAGES) -> list[Gate]:
    """Ask the saved policy in `folder` about held-out images of the world `seed`."""
    torch.set_num_threads(1)  # sums depend on the number of threads
    bank = [draw(seed, RANGES["held_out"] + number) for number in range(images)]
    return ahead_gates(Policy(*load_policy(folder)), bank, seed)


def chosen(
    step: int, own: Sequence[float], ahead: Sequence[Sequence[float]], gamma: float = GAMMA
) -> tuple[Chosen, int]:
    """Return what look-ahead changes in a group with the scores `own`, and the place of its pick.

    `ahead`: the scores of each candidate's next texts. Of equal candidates the first is picked.
    """
    scores = [
        total(score, float(np.mean(following)), gamma) or 0.0 for score, following in zip(own, ahead, strict=True)
    ]
    before, after = int(np.argmax(own)), int(np.argmax(scores))
    return Chosen(step, after != before, own[after] < own[before]), after


def _chains(bank: Sequence[Radiograph], seed: int) -> list[Chain]:
    made = []
    for drawn in bank:
        rng = np.random.default_rng([seed, drawn.layout.seed, drawn.layout.index, 43])
        boxes = [around(thing, rng) for thing in drawn.layout.things][:REGIONS]
        made += [Chain(drawn, question, list(boxes)) for question in questions(drawn.layout)]
    return [chain for chain in made if len(chain.left) >= STEPS]


def _walk(policy: Policy, chains: Sequence[Chain], gamma: float) -> list[Chosen]:
    groups = []
    for step in range(1, STEPS):
        places = [(chain, box) for chain in chains for box in chain.left]
        texts = _write(policy, [_turn(c, c.said, b, step) for c, b in places], step)
        next_turns = [_turn(c, (*c.said, t), b, step + 1) for (c, b), t in zip(places, texts, strict=True)]
        following = [_write(policy, next_turns, step + 1) for _ in range(SAMPLES)]
        own = [_truth(c, b, text, step) for (c, b), text in zip(places, texts, strict=True)]
        later = [[_truth(c, b, sample[i], step + 1) for sample in following] for i, (c, b) in enumerate(places)]
        start = 0
        for chain in chains:
            end = start + len(chain.left)
            group, best = chosen(step, own[start:end], later[start:end], gamma)
            groups.append(group)
            chain.said = (*chain.said, texts[start + best])
            chain.left.pop(best)
            start = end
    return groups


def _write(policy: Policy, turns: Sequence[tuple], step: int) -> list[str]:
    return policy.write(turns, temperature=TEMPERATURE, longest=LONGEST if step == STEPS else SENTENCE)


def _turn(chain: Chain, said: Sequence[str], box: Box, step: int) -> tuple:
    question = chain.question
    messages = prompts.step_messages(question.text, said, step=step, steps=STEPS, report=question.is_report)
    return messages, seen_at(chain.drawn, box)


def _truth(chain: Chain, box: Box, text: str, step: int) -> float:
    if step == STEPS:
        return float(right(chain.question, text))
    return level(read(text), statement_of(shown(chain.drawn.layout.lesions, box))) / PARTS


def _gate(name: str, changed: Sequence[bool], least: float) -> Gate:
    return Gate(name, 100 * float(np.mean(changed)) if changed else float("nan"), least, count=len(changed))
