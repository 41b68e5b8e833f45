"""The paper's Figure 1, arrow by arrow, on one drawn radiograph with the shipped models (docs/methods.md#figure-1).

Superscript i of the policy is the round, superscript j the candidate, subscript t the step.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from clincot import engines, images, judges, regions
from clincot.judges.base import JudgeRequest, Rating
from clincot.lm.requests import Completion, GenerateRequest
from clincot.phantom.drawing.draw import Phantom, draw, png
from clincot.phantom.texts.questions import report
from clincot.recipe import load_recipe
from clincot.records import Candidate, Example, Region, View
from clincot.records.pairs import Side
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench
from tests.walked import Walked, walked

SHIPPED = Path(__file__).parents[2] / "clincot/phantom/models"
RECIPE = load_recipe(overrides=["build.regions.crop=masked", "method.min_gap=0.001"])
CONFIG = RECIPE.method.config
S, GAMMA = CONFIG.lookahead.samples, CONFIG.lookahead.gamma


class Watched:
    """The real policy f_tar of round i = 1; keeps what it was asked."""

    def __init__(self) -> None:
        self.engine = engines.load("", SHIPPED / "policy", batch_size=64)
        self.asked: list[GenerateRequest] = []

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        self.asked += requests
        return self.engine.generate(requests)

    def forget(self) -> None:
        self.engine.forget()


class WatchedJudge:
    """A real judge; keeps what it was asked and gave."""

    def __init__(self, name: str) -> None:
        self.judge = judges.load("causal_lm", SHIPPED / name, name=name, key=name, batch_size=64)
        self.name = self.key = name
        self.given: dict[tuple[tuple[str, ...], str], float | None] = {}
        self.shown: set[str | None] = set()

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        ratings = self.judge.rate(requests)
        self.given |= {(r.findings, r.statement): rating.value for r, rating in zip(requests, ratings, strict=True)}
        self.shown |= {request.reference for request in requests}
        return ratings


class Figure:
    """X_1 holds one image and one question about a nodule in it: "Where is the lesion located in the lung?"."""

    def __init__(self) -> None:
        self.phantom = next(p for p in (draw(11, i) for i in range(99)) if p.names == ("nodule",))
        self.example = question(self.phantom)
        self.policy, self.judges = Watched(), (WatchedJudge("judge-a"), WatchedJudge("judge-b"))
        proposer = regions.load("query_grounder", SHIPPED / "grounder", key="grounder")
        models = Models(self.policy, proposer, self.judges)  # type: ignore[arg-type]
        self.bench = Workbench(RECIPE, 1, models)
        self.result: Walked = walked(RECIPE, [self.example], self.bench)

    def step(self, t: int) -> list[Candidate]:
        """CoT_t^j for every j."""
        return [candidate for candidate in self.result.candidates if candidate.step == t]


def question(phantom: Phantom) -> Example:
    nodule = phantom.findings[0]
    return Example(
        id="x1",
        image_id="image-1",
        image=png(phantom),
        question="Where is the nodule?",
        answer=f"{nodule.side} {nodule.zone} zone",
        answer_type="open",
        kind="zone",
        modality="phantom",
        reference=report(phantom.findings),
    )


@pytest.fixture(scope="module")
def figure() -> Figure:
    return Figure()


def test_hypotheses_become_heat_maps_become_regions_on_white(figure: Figure) -> None:
    looked = figure.result.hypotheses
    assert [one.name for one in looked] == ["nodule", "consolidation", "effusion", "pneumothorax", "cardiomegaly"]
    assert [one.region.hypothesis for one in looked if one.region] == [r.hypothesis for r in _regions(figure)]
    picture = images.decode(figure.example.image)
    for region in _regions(figure):
        crop = np.asarray(figure.bench.gallery.show("x1", View("crop", region)))
        inside = np.asarray(picture.crop(region.box))
        assert crop.shape == inside.shape
        white = (crop == 255).all(axis=2)
        # A jagged cut-out: the component shows the image's own pixels, all around it is white.
        assert 0.02 < 1 - white.mean() < 0.98
        assert (crop[~white] == inside[~white]).all()


def test_the_region_of_the_lesion_lies_on_the_lesion(figure: Figure) -> None:
    box, (nodule,) = _regions(figure)[0].box, figure.phantom.findings
    centre = ((nodule.box.left + nodule.box.right) / 2, (nodule.box.upper + nodule.box.lower) / 2)
    assert box.left <= centre[0] < box.right and box.upper <= centre[1] < box.lower


def test_y_before_t_and_r_j_go_into_the_policy_and_come_out_as_candidate_j_of_step_t(figure: Figure) -> None:
    for t in range(1, CONFIG.steps + 1):
        candidates = figure.step(t)
        assert [c.id for c in candidates] == [f"x1/{t}/{j}" for j in range(len(_regions(figure)))]
        assert [c.region for c in candidates] == _regions(figure)  # candidate j has its own region r_j ...
        assert len({c.findings for c in candidates}) == 1  # ... and all have the same kept chain y_{0:t-1}
        assert all(len(c.findings) == t - 1 for c in candidates)
    picture = images.decode(figure.example.image)
    for request in figure.policy.asked:  # x_v is the first image of every request, a region the second
        assert request.images[0].tobytes() == picture.tobytes() and len(request.images) == 2
    shown = (figure.bench.gallery.show("x1", View("crop", region)) for region in _regions(figure))
    assert {request.images[1].tobytes() for request in figure.policy.asked} == {crop.tobytes() for crop in shown}


def test_each_judge_scores_the_candidate_and_what_may_follow_it(figure: Figure) -> None:
    assert all(judge.shown == {figure.example.reference} for judge in figure.judges)  # the recipe's context
    for c in figure.result.candidates:
        assert len(c.lookahead) == (S if c.step < CONFIG.steps else 0)
        for judge, score in zip(figure.judges, c.judge_scores, strict=True):
            own = judge.given[c.findings, c.text]
            chain = (*c.findings, c.text)
            later = [judge.given[chain, y] for y in c.lookahead]
            assert own is not None and None not in later
            ahead = sum(later) / S if later else None  # type: ignore[arg-type]
            by_hand = own if ahead is None else (own + GAMMA * ahead) / (1 + GAMMA)  # Eq. 3
            assert (score.judge, score.own, score.next) == (judge.name, own, pytest.approx(ahead))
            assert score.total == pytest.approx(by_hand) and 0 <= by_hand <= 1


def test_two_judges_become_one_score_that_falls_with_their_difference(figure: Figure) -> None:
    for c in figure.result.candidates:
        first, second = (score.total or 0.0 for score in c.judge_scores)
        assert c.score == pytest.approx((first + second) / 2 * (1 - abs(first - second)))  # Eq. 4


def test_pairs_are_drawn_among_the_candidates_of_a_step(figure: Figure) -> None:
    assert figure.result.pairs
    for pair in figure.result.pairs:
        mates = {c.id: c for c in figure.step(pair.step)}
        for side in (pair.chosen, pair.rejected):
            assert Side.of(mates[side.candidate], pair.views) == side and side.views
        assert (pair.chosen.score or 0) - (pair.rejected.score or 0) >= CONFIG.min_gap
        assert pair.chosen.text != pair.rejected.text
    steps = [pair.step for pair in figure.result.pairs]
    assert all(steps.count(t) <= CONFIG.pairs_per_step for t in set(steps))


def test_the_best_candidate_and_only_it_extends_the_kept_chain(figure: Figure) -> None:
    best = max(figure.step(1), key=lambda c: c.score or 0.0)
    assert {c.findings for c in figure.step(2)} == {(best.text,)}
    written = [text for text in map(_text, figure.policy.asked) if "Findings so far: " + best.text in text]
    assert len(written) >= len(figure.step(2))


def test_the_same_figure_drawn_twice_is_the_same(figure: Figure) -> None:
    again = walked(RECIPE, [figure.example], Workbench(RECIPE, 1, figure.bench.models))
    assert again.pairs == figure.result.pairs and again.candidates == figure.result.candidates


def _regions(figure: Figure) -> list[Region]:
    return list(figure.bench.regions["image-1"])


def _text(request: GenerateRequest) -> str:
    return request.messages[0]["content"][-1]["text"]
