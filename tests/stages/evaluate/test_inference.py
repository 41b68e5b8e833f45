"""Answers by region and direct: what is looked at, what flows from step to step, and what happens without a region."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clincot import images
from clincot.lm.requests import Completion, GenerateRequest
from clincot.records import Box
from clincot.regions.base import HeatMap
from clincot.stages.evaluate.inference import Settings, answer_by_region, answer_directly, black, choose, propose
from tests.lamps import LampEngine, LampProposer, examples, recipe

FLAT = np.zeros((2, 2), np.float32)


@pytest.fixture
def settings() -> Settings:
    return Settings.of(recipe())


def test_the_hypothesis_is_the_one_the_question_names_else_the_most_confident() -> None:
    maps = [HeatMap("nodule", FLAT, 0.2), HeatMap("effusion", FLAT, 0.9), HeatMap("pneumothorax", FLAT, 0.5)]
    assert choose("Is there a nodule?", maps).hypothesis == "nodule"
    assert choose("Is the image normal?", maps).hypothesis == "effusion"
    assert choose("Is there a fracture?", maps).hypothesis == "effusion"
    assert choose("Is there a nodule?", []) is None


def test_the_region_surrounds_what_the_proposer_saw(settings: Settings) -> None:
    asked = examples(["left"])
    pictures = {asked[0].image_id: images.decode(asked[0].image)}
    proposer = LampProposer()
    regions = propose(asked, pictures, proposer, settings)
    box = regions[asked[0].id].box
    assert box.left <= 8 < 20 <= box.right <= 26
    assert box.upper <= 24 < 36 <= box.lower <= 42
    assert proposer.asked == [("nodule", "effusion")]  # one list per image, from all its questions


def test_the_crop_and_the_findings_reach_the_answer(settings: Settings) -> None:
    asked = examples(["left"])[:1]
    pictures = {asked[0].image_id: images.decode(asked[0].image)}
    engine = LampEngine()
    answer = answer_by_region(asked, pictures, propose(asked, pictures, LampProposer(), settings), engine, settings)[0]
    assert answer.text == "Yes, there is."
    assert answer.findings == ("The local image is lit.",)
    assert answer.hypothesis == "nodule"
    assert isinstance(answer.box, Box)
    assert answer_directly(asked, pictures, engine, settings)[0].text == "No."


def test_one_step_asks_for_the_answer_at_once_and_three_for_two_findings(settings: Settings) -> None:
    asked = examples(["left"])[:1]
    pictures = {asked[0].image_id: images.decode(asked[0].image)}
    regions = propose(asked, pictures, LampProposer(), settings)
    for steps in (1, 2, 3):
        engine = LampEngine()
        answer = answer_by_region(asked, pictures, regions, engine, replace(settings, steps=steps))[0]
        assert (engine.generated, len(answer.findings)) == (steps, steps - 1)


def test_an_example_without_a_region_is_answered_directly(settings: Settings) -> None:
    drawn = examples(["left", ""])
    asked = [*drawn[:2], replace(drawn[3], question="Is there an effusion?")]
    pictures = {e.image_id: images.decode(e.image) for e in asked}
    regions = propose(asked, pictures, LampProposer(), settings)
    assert regions[asked[2].id] is None
    answers = answer_by_region(asked, pictures, regions, LampEngine(), settings)
    assert [answer.example_id for answer in answers] == [e.id for e in asked]
    assert [answer.box is None for answer in answers] == [False, False, True]
    assert answers[2].findings == ()


def test_the_control_blackens_picture_and_crop_at_their_sizes(settings: Settings) -> None:
    asked = examples(["left"])[:1]
    pictures = {asked[0].image_id: images.decode(asked[0].image)}
    regions = propose(asked, pictures, LampProposer(), settings)
    seen: list[GenerateRequest] = []

    class Watching(LampEngine):
        def generate(self, requests: list[GenerateRequest]) -> list[Completion]:
            seen.extend(requests)
            return super().generate(requests)

    dark = {name: black(picture) for name, picture in pictures.items()}
    answer_by_region(asked, dark, regions, Watching(), settings, blacken=True)
    box = regions[asked[0].id].box
    assert seen
    for request in seen:
        assert [image.size for image in request.images] == [(64, 64), (box.right - box.left, box.lower - box.upper)]
        assert all(image.getextrema() == ((0, 0),) * 3 for image in request.images)


@pytest.mark.parametrize("inference", ["region", "direct"])
def test_a_report_is_asked_for_in_its_own_words_and_may_be_longer(inference: str) -> None:
    settings = Settings.of(recipe("evaluate.report_tokens=99", "evaluate.max_new_tokens=7"))
    asked = examples(["left"])
    pictures = {e.image_id: images.decode(e.image) for e in asked}
    seen: list[GenerateRequest] = []

    class Watching(LampEngine):
        def generate(self, requests: list[GenerateRequest]) -> list[Completion]:
            seen.extend(requests)
            return super().generate(requests)

    if inference == "region":
        answer_by_region(asked, pictures, propose(asked, pictures, LampProposer(), settings), Watching(), settings)
    else:
        answer_directly(asked, pictures, Watching(), settings)
    texts = {request.messages[0]["content"][-1]["text"]: request.max_new_tokens for request in seen}
    reports = {text: length for text, length in texts.items() if text.startswith("Describe")}
    assert {length for text, length in texts.items() if text not in reports} == {7}
    assert {length for text, length in reports.items() if "Write the report" in text} == {99}
    assert len(reports) == (2 if inference == "region" else 1)  # a finding of the region, then the report
    assert {length for text, length in reports.items() if "State in one" in text} <= {7}
    assert not any("bears on the question" in text or "Answer the question" in text for text in reports)
