"""Ties, near gaps and judges that contradict each other: who is paired with whom, and whose text goes on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from clincot.images import encode_png
from clincot.judges.base import JudgeRequest, Rating
from clincot.lm.requests import Completion, GenerateRequest
from clincot.recipe import load_recipe
from clincot.records import Example
from clincot.regions.grid import Grid
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench
from tests.walked import Walked, walked

# Binary fractions, so that a gap of exactly `min_gap` is one. Agreement: mean times (1 - difference).
SAID = {
    "Loved by the first judge.": (0.9375, 0.0625),  # 0.0625
    "Best.": (0.75, 0.75),
    "As good, later.": (0.75, 0.75),
    "Twin.": (0.25, 0.25),
    "twin": (0.5, 0.5),  # the same text, better
    "Between.": (0.5625, 0.5625),
}
SETTINGS = [
    "method.candidates=6", "build.regions.least_side=8", "method.min_gap=0.25", "method.pairs_per_step=30",
    "method.steps=2", "method.lookahead.gamma=0.5", "method.lookahead.samples=2", "build.judging.consensus=agreement",
]  # fmt: skip
PAIRS = {
    ("Best.", "Loved by the first judge."),
    ("Best.", "twin"),
    ("As good, later.", "Loved by the first judge."),
    ("As good, later.", "twin"),
    ("twin", "Loved by the first judge."),
    ("Between.", "Loved by the first judge."),
}


class Policy:
    """Writes the texts of SAID in turn, and behind a finding its seed, so that look-ahead texts tell their seeds."""

    def __init__(self) -> None:
        self.requests: list[GenerateRequest] = []

    def forget(self) -> None:
        """Keep nothing."""

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        first = not self.requests
        self.requests += requests
        texts = list(SAID) if first else [f"Seed {request.seed}." for request in requests]
        return [Completion(text, -1.0, 5, "stop", retokenises=text != "Between.") for text in texts[: len(requests)]]


class Judge:
    key = "1"

    def __init__(self, name: str, place: int) -> None:
        self.name, self.place = name, place

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        # A look-ahead text is as good as the finding before it, so Eq. 3 changes no score.
        known = [SAID.get(r.statement) or SAID.get(r.findings[-1], (0.5, 0.5)) for r in requests]
        return [Rating(scores[self.place], 1.0) for scores in known]


def walk(*overrides: str, name: str = "q1", round_: int = 1) -> tuple[Walked, Policy]:
    recipe = load_recipe(overrides=[*SETTINGS, *overrides])
    pixels = (np.arange(3600).reshape(60, 60) % 256).astype(np.uint8)
    asked = Example(name, "i1", encode_png(Image.fromarray(pixels)), "?", "x", "open", "k", "chest x-ray", "x")
    policy = Policy()
    models = Models(policy, Grid.from_pretrained(None, key="g"), (Judge("a", 0), Judge("b", 1)))  # type: ignore[arg-type]
    return walked(recipe, [asked], Workbench(recipe, round_, models)), policy


def texts(result: Walked) -> list[tuple[str, str]]:
    return [(pair.chosen.text, pair.rejected.text) for pair in result.pairs if pair.step == 1]


def test_a_gap_of_exactly_min_gap_pairs_and_a_smaller_one_does_not() -> None:
    found = texts(walk()[0])
    assert set(found) == PAIRS and len(found) == len(PAIRS)


def test_equals_prefer_nothing_also_with_a_gap_of_0() -> None:
    found = texts(walk("method.min_gap=0", "method.pairs_per_step=100")[0])
    assert set(found) > PAIRS
    assert not {("Best.", "As good, later."), ("As good, later.", "Best.")} & set(found)
    assert not {pair[::-1] for pair in found} & set(found)


def test_the_consensus_extends_the_chain_and_of_equals_the_first() -> None:
    answers = [candidate for candidate in walk()[0].candidates if candidate.step == 2]
    assert {candidate.findings for candidate in answers} == {("Best.",)}


def test_fewer_pairs_are_drawn_at_random_by_the_question() -> None:
    drawn = {name: texts(walk("method.pairs_per_step=2", name=name)[0]) for name in ("q1", "q2", "q3", "q4")}
    assert all(len(set(own)) == 2 and set(own) <= PAIRS for own in drawn.values())
    assert len({tuple(own) for own in drawn.values()}) > 1
    assert texts(walk("method.pairs_per_step=2", name="q1")[0]) == drawn["q1"]


def test_every_text_has_a_seed_of_its_own_also_the_look_ahead_texts_of_one_finding() -> None:
    result, policy = walk()
    seeds = [request.seed for request in policy.requests]
    assert len(seeds) == len(set(seeds)) == 6 + 12 + 6
    assert all(len(set(c.lookahead)) == 2 for c in result.candidates if c.step == 1)


def test_the_texts_of_another_round_or_another_seed_have_other_seeds() -> None:
    walks = (walk(), walk(round_=2), walk("seed=1"))
    seeds = [{request.seed for request in policy.requests} for _, policy in walks]
    assert len(set.union(*seeds)) == sum(map(len, seeds))


def test_a_text_that_tokenises_otherwise_has_no_reference_log_probability() -> None:
    logps = {c.text: c.logp for c in walk()[0].candidates if c.step == 1}
    assert logps["Between."] is None and logps["Best."] == pytest.approx(-1.0)
