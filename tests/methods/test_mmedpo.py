"""MMedPO's pairs: which text is rejected, whose lesion is damaged, what pairs count, and what cards say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev
from typing import Any

import pytest

from clincot.errors import DataError
from clincot.judges.base import JudgeRequest, Rating
from clincot.methods import of_recipe
from clincot.methods.mmedpo import RELEVANCE, MmedpoConfig
from clincot.methods.mmedpo_weights import Normalisation, Spread
from clincot.records import WHOLE
from clincot.stages.sample.serving import Models
from tests.lamps import LampProposer
from tests.methods.small_worlds import Editor, Policy, in_turn, settings, walk

AGREES = {"left lung": 0.4, "the right one": 0.2, "also right": 0.2, "upper": 0.6}
EDITOR = Editor({"left": "right", "right": "left", "neither": "both"})


@dataclass
class Judge:
    """Rates agreement by AGREES, and relevance by `relevant`, whose first text is rated so, and so on."""

    relevant: Sequence[float | None]
    name: str = "judge"
    key: str = "judge"
    asked: list[JudgeRequest] = field(default_factory=list)

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        before = sum(request.rubric == RELEVANCE for request in self.asked)
        self.asked += requests
        left = iter(self.relevant[before:])
        return [Rating(next(left) if r.rubric else AGREES[r.statement], 1.0) for r in requests]


def made(texts: Sequence[str], relevant: Sequence[float | None], sides: Sequence[str] = ("left",), *more: str) -> Any:
    judge = Judge(relevant)
    models = Models(Policy(in_turn(*texts)), LampProposer(), (judge,), editor=EDITOR)
    return walk(settings("mmedpo", "build.judging.consensus=mean", *more), models, sides), judge


def test_the_first_of_the_samples_that_contradict_the_gold_answer_most_is_rejected() -> None:
    walked, judge = made(("left lung", "the right one", "also right"), (0.75,))
    text, image = walked.pairs
    assert (text.chosen.text, text.rejected.text, text.rejected.candidate) == (
        "left",
        "the right one",
        "lamps/0/open/2/text",
    )
    assert (text.views, text.chosen.score, text.rejected.score) == ((WHOLE,), None, None)
    assert [request.statement for request in judge.asked] == [
        "left lung",
        "the right one",
        "also right",
        "the right one",
    ]
    assert {(request.reference, request.images) for request in judge.asked} == {("left", ())}
    assert (image.chosen.text, image.rejected.text, image.views) == ("left", "left", ())
    (view,) = image.rejected.views
    assert (image.chosen.views, view.kind, view.region.hypothesis) == ((WHOLE,), "lesion_noise", "nodule")
    assert (text.weight, image.weight) == (1.0, 1.0)  # one pair of each kind has no spread


def test_samples_that_repeat_or_agree_leave_the_text_to_the_editor() -> None:
    walked, judge = made(("LEFT.", "upper", "upperCUT"), (0.5,))
    assert [(pair.chosen.text, pair.rejected.text) for pair in walked.pairs] == [("left", "right"), ("left", "left")]
    assert walked.drops == {
        "samples that repeat a text or the gold answer": 1,
        "candidates cut at the length limit": 1,
        "hypotheses without a region": 1,
    }
    assert [request.statement for request in judge.asked] == ["upper", "right"]


def test_weights_are_normalised_over_the_round_for_each_kind_apart() -> None:
    sides, relevant = ("left", "right", "left", "right"), (0.1, 0.9, 0.6, 0.4)
    walked, _ = made(("left lung",), relevant, sides, "method.samples=1")
    text = [pair.weight for pair in walked.pairs if pair.chosen.text != pair.rejected.text]
    raw = [1 + 0.1**0.5 * (value - fmean(relevant)) / pstdev(relevant) for value in relevant]
    assert text == pytest.approx([min(1.25, max(0.75, value)) for value in raw])
    assert text[0] == 0.75 and text[1] == 1.25 and 0.75 < text[3] < 1 < text[2] < 1.25
    image = [pair.weight for pair in walked.pairs if pair.chosen.text == pair.rejected.text]
    assert image == [1.0] * 4  # the lamps are equally bright
    plain, _ = made(("left lung",), relevant, sides, "method.samples=1", "method.weights.normalised=false")
    assert [pair.weight for pair in plain.pairs][::2] == list(relevant)


def test_the_spread_of_no_pair_and_of_equal_weights() -> None:
    assert Spread.of([]) == Spread(0.0, 0.0)
    assert Spread.of([0.3, 0.3]).weight(0.3, Normalisation()) == 1.0


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(DataError, match="the weights of all 2 text pairs are 0"):
        made(("left lung",), (0.0, 0.0), ("left", "right"))


def test_what_no_judge_rates_and_no_proposer_finds_is_counted() -> None:
    walked, _ = made(("left lung",), (None, 0.5), ("left", ""))
    assert [pair.id for pair in walked.pairs] == ["lamps/0/open/1/1", "lamps/1/open/1/0"]
    assert walked.drops["wrong texts that the judges could not rate"] == 1
    assert walked.drops["image pairs without a region"] == 1


def test_the_noise_of_the_code_covers_nearly_everything() -> None:
    walked, _ = made(("left lung",), (0.5,), ("left",), "method.noise=code", "build.regions.threshold=-1")
    (view,) = walked.pairs[1].rejected.views
    assert (view.kind, view.strength) == ("lesion_replaced", 0)
    recipe = settings("mmedpo-code-noise")
    assert (recipe.build.regions.threshold, recipe.method.config.noise) == (-1, "code")


def test_cards_say_what_was_done_with_these_numbers() -> None:
    said = " ".join(of_recipe(settings("mmedpo")).facts({"judges": ["a", "b"]}))
    assert "the one of 3 answers" in said and "rating of 2 judges" in said and "clipped to [0.75, 1.25]" in said
    config = MmedpoConfig(samples=0, noise="code", weights=Normalisation(normalised=False))
    said = " ".join(of_recipe(settings("mmedpo")).__class__(config).facts({"judges": ["a"]}))
    assert "preferred to a version of the gold answer" in said and "almost black" in said and "not normalised" in said
    assert "diffusion" not in said and "answers of the round's policy" not in said
