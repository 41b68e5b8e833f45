"""UV-CoT's boxes, scores and pairs: what is read of a text, which crop is shown, which box goes on, what cards say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from clincot.errors import RecipeError
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.cache import CachedJudge
from clincot.judges.scoring import MODES
from clincot.lm.requests import GenerateRequest
from clincot.methods import of_recipe
from clincot.methods.uv_cot import RATE_BOX
from clincot.methods.uv_cot_boxes import box_of
from clincot.records import WHOLE, Box
from clincot.stages.sample.serving import Models
from tests.methods.small_worlds import Policy, asked, settings, walk


@pytest.mark.parametrize(
    ("text", "size", "crop", "read", "inside"),
    [
        ("[0.25, 0.5, 0.75, 1.0]", (100, 100), Box(25, 50, 75, 100), True, True),
        ("0.75 1.0 0.25 0.5", (100, 100), Box(25, 50, 75, 100), True, True),  # corners in the other order
        ("[.4, .4, .5, .5] and 0.9", (100, 100), Box(35, 35, 55, 55), True, True),  # the least side; four numbers
        ("[0.2, 0.1, 0.8, 0.4]", (100, 50), Box(20, 0, 80, 38), True, False),  # above the image lies padding
        ("[0.0, 0.0, 1.5, 1.5]", (100, 100), Box(0, 0, 100, 100), True, False),
        ("[3.0, 3.0, 4.0, 4.0]", (100, 100), Box(90, 90, 100, 100), True, False),
        ("[-0.9, -.9, -.5, -0.5]", (100, 100), Box(0, 0, 10, 10), True, False),
        ("0.25-0.5-0.75-1.0", (100, 100), Box(25, 50, 75, 100), True, True),  # dashes between numbers are no signs
        ("[1, 2, 3, 4]", (100, 100), Box(25, 25, 75, 75), False, False),  # no decimals
        ("Yes 0.5.", (100, 50), Box(25, 0, 75, 50), False, False),
    ],
)
def test_a_text_is_read_as_a_square_crop(text: str, size: Any, crop: Box, read: bool, inside: bool) -> None:
    written = box_of(text, size, 20)
    assert (written.crop, written.read, written.inside) == (crop, read, inside)


LAMP, DARK, NOTHING = "[0.1, 0.35, 0.35, 0.6]", "[0.6, 0.6, 0.9, 0.9]", "I see a lamp."
LIKED = {LAMP: 0.5, DARK: 0.5, NOTHING: 0.25, "lit": 0.75, "dark": 0.25, "maybe": 0.5}


@dataclass
class Rater:
    """The part of a critic that rates: by LIKED, and never the text "unread"."""

    name: str = "critic"
    key: str = "critic"
    scoring: str = "yesno"
    asked: list[JudgeRequest] = field(default_factory=list)
    counters: Any = None

    def reads(self, request: JudgeRequest) -> str:
        return repr(request)

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        self.asked += requests
        return [Rating(LIKED[request.statement], 1.0) for request in requests]

    def forget(self) -> None:
        """Keep nothing."""


def says(boxes: Sequence[str]) -> Any:
    """Write the boxes in turn; answer by the crop's light, "maybe" to every third question with a crop."""
    left, answers = iter(boxes), iter(range(1000))

    def text(request: GenerateRequest) -> str:
        if "Give the box" in asked(request):
            return next(left)
        lit = max(request.images[1].convert("L").tobytes()) > 200
        return "maybe" if next(answers) % 3 == 2 else "lit" if lit else "dark"

    return text


def made(boxes: Sequence[str], *more: str) -> tuple[Any, Rater, Policy]:
    rater, policy = Rater(), Policy(says(boxes))
    critic: Any = SimpleNamespace(judge=CachedJudge(rater, {}), engine=policy, weights=None, compare=None)
    recipe = settings("uv-cot", f"method.samples={len(boxes)}", "method.pairs_per_step=30", *more)
    return walk(recipe, Models(policy, critic=critic)), rater, policy


def test_look_ahead_tells_boxes_apart_and_the_best_one_goes_on() -> None:
    walked, rater, policy = made((DARK, LAMP))
    boxes = [one for one in walked.candidates if one.step == 1]
    assert [(one.text, one.lookahead, one.score) for one in boxes] == [
        (DARK, ("dark",), pytest.approx((0.5 + 0.5 * 0.25) / 1.5)),
        (LAMP, ("lit",), pytest.approx((0.5 + 0.5 * 0.75) / 1.5)),
    ]
    answers = [one for one in walked.candidates if one.step == 2]
    assert {(one.findings, one.region) for one in answers} == {((LAMP,), boxes[1].region)}
    first, second = walked.pairs
    assert (first.chosen.text, first.rejected.text, first.views) == (LAMP, DARK, (WHOLE,))
    assert (second.chosen.text, second.rejected.text) == ("lit", "maybe")
    assert second.views == answers[0].views and len(second.views) == 2
    assert (second.chosen.views, second.chosen.logp) == ((), -1.0)
    assert {request.reference for request in rater.asked} == {None}
    assert {len(request.images) for request in rater.asked} == {2}
    assert [r.statement for r in rater.asked if r.rubric == RATE_BOX] == [DARK, LAMP]
    assert "[0.1, 0.35" in asked(policy.requests[-1])


def test_texts_without_a_box_are_the_middle_and_boxes_off_the_image_are_cut_and_counted() -> None:
    walked, _, _ = made((NOTHING, LAMP), "method.gamma=0")
    assert walked.drops["boxes that could not be read, the middle of the image in their place"] == 1
    middle = next(one for one in walked.candidates if one.text == NOTHING)
    assert middle.region is not None and middle.region.box == Box(16, 16, 48, 48)
    assert walked.pairs[0].rejected.text == NOTHING and middle.lookahead == ()


def test_boxes_rated_alike_are_no_pair_and_the_released_loss_weighs_pairs() -> None:
    walked, _, _ = made((DARK, LAMP, DARK), "method.gamma=0", "method.weight=0.1")
    assert [pair.step for pair in walked.pairs] == [2] and walked.pairs[0].weight == 0.1
    assert walked.drops["steps without a pair"] == 1
    released = settings("uv-cot-released")
    assert (released.train.nll_weight, released.method.config.weight, released.train.margin.kind) == (0.9, 0.1, "none")
    assert released.method.config.samples == 10


def test_the_critic_is_asked_about_a_box_as_the_recipe_scores() -> None:
    _, rater, _ = made((DARK, LAMP))
    (box, *_) = (r for r in rater.asked if r.rubric == RATE_BOX)
    asked_for = {name: MODES[name].messages(box)[-1]["content"] for name in ("expected", "yesno")}
    assert "one digit from 0 (no part of it) to 9" in asked_for["expected"] and "yes" not in asked_for["expected"]
    assert asked_for["yesno"].endswith("needed to answer the question? Reply yes or no.")
    assert "digit" not in asked_for["yesno"] and "Is the statement right" not in asked_for["yesno"]
    with pytest.raises(RecipeError, match="'yesno' asks for yes or no, and the method's rubric for a digit"):
        MODES["yesno"].messages(replace(box, rubric="Reply with one digit."))


def test_undivided_a_box_without_a_rating_of_what_follows_has_no_score() -> None:
    LIKED["dark"], kept = None, LIKED["dark"]  # type: ignore[assignment]
    try:
        walked, _, _ = made((DARK, LAMP), "method.normalise=false")
        divided, _, _ = made((DARK, LAMP))
    finally:
        LIKED["dark"] = kept
    assert [one.score for one in walked.candidates if one.step == 1] == [None, pytest.approx(0.5 + 0.5 * 0.75)]
    assert next(one.score for one in divided.candidates) == 0.5


def test_cards_say_how_boxes_were_written_and_rated() -> None:
    said = " ".join(of_recipe(settings("uv-cot")).facts({}))
    assert "wrote 10 boxes" in said and "0.5 times the rating of an answer" in said
    assert "gold answer" not in said
    told = of_recipe(settings("uv-cot")).facts({"rated": {"critic_with_reference": 4}})
    assert "and of answers the gold answer, rated" in " ".join(told)
    assert "times" not in " ".join(of_recipe(settings("uv-cot", "method.gamma=0")).facts({}))
