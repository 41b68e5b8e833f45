"""The walk of tests/methods/test_clincot.py with judges that hear facts, debate, remember, or talk nonsense."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from clincot.chain.prompts import region_facts
from clincot.errors import ModelError
from clincot.images import content_id
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.cache import CachedJudge
from clincot.lm.requests import Counters
from clincot.recipe import load_recipe
from clincot.records import Box, Region
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench
from tests.methods.test_clincot import WrittenJudge, WrittenPolicy, WrittenProposer, example
from tests.walked import Walked, walked

SIZES = ["method.candidates=3", "build.regions.least_side=8", "method.lookahead.samples=2"]


class Follower(WrittenJudge):
    """Repeats what it hears; on its own it gives nothing."""

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        self.requests += requests
        return [Rating((r.earlier or 0) / 9, 1.0) for r in requests]


class Mute(WrittenJudge):
    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        return [Rating(None, 0.01) for _ in requests]


def walk(models: Models, *overrides: str) -> Walked:
    recipe = load_recipe(overrides=[*SIZES, *overrides])
    return walked(recipe, [example()], Workbench(recipe, 1, models))


def models(*judges) -> Models:
    return Models(WrittenPolicy(), WrittenProposer(), judges)  # type: ignore[arg-type]


def test_the_score_of_a_debate_is_its_outcome_by_eq_3() -> None:
    result = walk(models(WrittenJudge("a"), Follower("b")), "build.judging.consensus=debate")
    best = result.candidates[0]
    assert [score.judge for score in best.judge_scores] == ["a", "b", "debate"]
    # a says 0.9, digit 8; b repeats it as 8/9; the outcome is their mean, for the text and for what follows it.
    outcome = (0.9 + 8 / 9) / 2
    assert best.judge_scores[2].own == pytest.approx(outcome)
    assert best.score == pytest.approx((outcome + 0.5 * outcome) / 1.5)


def test_facts_name_hypothesis_place_and_confidence_and_replace_the_reference() -> None:
    judge = WrittenJudge("a")
    walk(models(judge), "build.judging.context=facts")
    assert all(request.reference is None for request in judge.requests)
    told = {request.facts for request in judge.requests}
    assert (
        "Local image: found for nodule by a tool with 50% confidence, on the left side of the image, middle third."
        in told
    )
    assert len(told) == 3


def test_a_region_is_placed_by_its_centre() -> None:
    def where(*box: int) -> str:
        return region_facts(Region("effusion", Box(*box), 0.834), (300, 600)).split("with ")[1]

    assert where(0, 0, 90, 190) == "83% confidence, on the left side of the image, upper third."
    assert where(110, 210, 190, 390) == "83% confidence, in the centre of the image, middle third."
    assert where(210, 410, 300, 600) == "83% confidence, on the right side of the image, lower third."


def test_judges_that_see_get_the_image_and_the_crop_that_the_text_is_about() -> None:
    judge = WrittenJudge("a")
    result = walk(models(judge))
    assert {request.images[0] for request in judge.requests} == {example().image}
    crops = {looked.crop_id for looked in result.hypotheses if looked.region}
    assert {content_id(request.images[1]) for request in judge.requests} == crops and len(crops) == 3


def test_a_unit_hands_out_what_its_judges_rated_and_the_next_starts_without_it() -> None:
    class Reading(WrittenJudge):
        scoring, counters = "expected", Counters()

        def reads(self, request: JudgeRequest) -> str:
            return repr(request)

    inner = Reading("a")
    loaded = models(CachedJudge(inner, {}))
    first, asked = walk(loaded), len(inner.requests)
    second = walk(loaded)
    assert len(first.ratings) == asked > 0
    assert len(inner.requests) == 2 * asked
    assert first == second
    known = {recorded.key: recorded.rating for recorded in first.ratings}
    third = walk(models(CachedJudge(inner, known)))
    assert len(inner.requests) == 2 * asked
    assert (third.candidates, third.ratings) == (first.candidates, ())


def test_failures_add_up_over_units_until_they_stop_the_build() -> None:
    loaded = models(Mute("mute"))
    with pytest.raises(ModelError, match="judge mute: .* ratings cannot be read"):
        for _ in range(10):
            walk(loaded)
    assert loaded.panel(load_recipe(overrides=SIZES).build.judging).failures["mute"].rated >= 50
