"""Answers by region and direct: what is looked at, what flows from step to step, and what happens without a region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from clincot.chain.layout import Display
from clincot.images.views import Gallery
from clincot.lm.requests import Completion, GenerateRequest
from clincot.records import Box, Example
from clincot.regions.base import HeatMap
from clincot.stages.evaluate.inference import Settings, answer_by_region, answer_directly, propose
from tests.lamps import LampEngine, LampProposer, examples, recipe


@pytest.fixture
def settings() -> Settings:
    return Settings.of(recipe())


def shown(asked: Sequence[Example]) -> Display:
    return Display(Gallery(asked), "separate")


def test_the_region_surrounds_what_the_proposer_saw(settings: Settings) -> None:
    asked = examples(["left"])
    display = shown(asked)
    proposer = LampProposer()
    regions = propose(asked, display.gallery, proposer, settings)
    (region,) = regions[asked[0].id]
    box = region.box
    assert box.left <= 8 < 20 <= box.right <= 26
    assert box.upper <= 24 < 36 <= box.lower <= 42
    assert proposer.asked == [("nodule", "effusion")]  # one list per image, from all its questions


def test_the_crop_and_the_findings_reach_the_answer(settings: Settings) -> None:
    asked = examples(["left"])[:1]
    display = shown(asked)
    engine = LampEngine()
    answer = answer_by_region(
        asked, display, propose(asked, display.gallery, LampProposer(), settings), engine, settings
    )[0]
    assert answer.text == "Yes, there is."
    assert answer.findings == ("The local image is lit.",)
    assert answer.hypothesis == "nodule"
    assert isinstance(answer.box, Box)
    assert answer_directly(asked, display, engine, settings)[0].text == "No."


def test_one_step_asks_for_the_answer_at_once_and_three_for_two_findings(settings: Settings) -> None:
    asked = examples(["left"])[:1]
    display = shown(asked)
    regions = propose(asked, display.gallery, LampProposer(), settings)
    for steps in (1, 2, 3):
        engine = LampEngine()
        answer = answer_by_region(asked, display, regions, engine, replace(settings, steps=steps))[0]
        assert (engine.generated, len(answer.findings)) == (steps, steps - 1)


def test_an_example_without_a_region_is_answered_directly(settings: Settings) -> None:
    drawn = examples(["left", ""])
    asked = [*drawn[:2], replace(drawn[3], question="Is there an effusion?")]
    display = shown(asked)
    regions = propose(asked, display.gallery, LampProposer(), settings)
    assert regions[asked[2].id] == ()
    answers = answer_by_region(asked, display, regions, LampEngine(), settings)
    assert [answer.example_id for answer in answers] == [e.id for e in asked]
    assert [answer.box is None for answer in answers] == [False, False, True]
    assert answers[2].findings == ()


def test_the_control_blackens_image_and_crop_at_their_sizes(settings: Settings) -> None:
    asked = examples(["left"])[:1]
    display = shown(asked)
    regions = propose(asked, display.gallery, LampProposer(), settings)
    seen: list[GenerateRequest] = []

    class Watching(LampEngine):
        def generate(self, requests: list[GenerateRequest]) -> list[Completion]:
            seen.extend(requests)
            return super().generate(requests)

    dark = Display(display.gallery, settings.image_layout, dark=True)
    answer_by_region(asked, dark, regions, Watching(), settings)
    box = regions[asked[0].id][0].box
    assert seen
    for request in seen:
        assert [image.size for image in request.images] == [(64, 64), (box.right - box.left, box.lower - box.upper)]
        assert all(image.getextrema() == ((0, 0),) * 3 for image in request.images)


@pytest.mark.parametrize("inference", ["region", "direct"])
def test_a_report_is_asked_for_in_its_own_words_and_may_be_longer(inference: str) -> None:
    settings = Settings.of(recipe("evaluate.report_tokens=99", "evaluate.max_new_tokens=7"))
    asked = examples(["left"])
    display = shown(asked)
    seen: list[GenerateRequest] = []

    class Watching(LampEngine):
        def generate(self, requests: list[GenerateRequest]) -> list[Completion]:
            seen.extend(requests)
            return super().generate(requests)

    if inference == "region":
        answer_by_region(
            asked, display, propose(asked, display.gallery, LampProposer(), settings), Watching(), settings
        )
    else:
        answer_directly(asked, display, Watching(), settings)
    texts = {request.messages[0]["content"][-1]["text"]: request.max_new_tokens for request in seen}
    reports = {text: length for text, length in texts.items() if text.startswith("Describe")}
    assert {length for text, length in texts.items() if text not in reports} == {7}
    assert {length for text, length in reports.items() if "Write the report" in text} == {99}
    assert len(reports) == (2 if inference == "region" else 1)  # a finding of the region, then the report
    assert {length for text, length in reports.items() if "State in one" in text} <= {7}
    assert not any("bears on the question" in text or "Answer the question" in text for text in reports)


def test_each_step_looks_at_the_best_region_not_yet_seen_and_the_default_at_the_best_alone() -> None:
    (asked,) = examples(["left"])[:1]
    two = recipe("build.regions.per_hypothesis=2", "evaluate.look=each", "build.regions.padding=0")

    class TwoLamps(LampProposer):
        """A lamp, a fainter one beside it, and an effusion that nobody asked about."""

        def _map(self, image: Image.Image, name: str) -> HeatMap:
            values = np.zeros((64, 64), np.float32)
            values[24:36, 8:20] = 1.0
            values[50:60, 50:60] = 0.9
            return HeatMap(name, values if name == "nodule" else values.T.copy(), 0.4 if name == "nodule" else 0.8)

    gallery = Gallery([asked])
    for look, steps, seen in (
        ("each", 4, [Box(8, 24, 20, 36), Box(50, 50, 60, 60), Box(24, 8, 36, 20), Box(50, 50, 60, 60)]),
        ("each", 6, [Box(8, 24, 20, 36), Box(50, 50, 60, 60), Box(24, 8, 36, 20), Box(50, 50, 60, 60)]),
        ("one", 3, [Box(8, 24, 20, 36)] * 3),
    ):
        settings = replace(Settings.of(two), look=look, steps=steps)
        regions = propose([asked], gallery, TwoLamps(), settings)
        watching = Watched()
        (answer,) = answer_by_region([asked], Display(gallery, "separate"), regions, watching, settings)
        boxes = [one.box for one in answer.regions]
        expected = seen + [seen[0]] * (steps - len(seen))  # all are seen: the best again
        assert boxes == expected and (answer.hypothesis, answer.box) == ("nodule", expected[0])
        crops = [tuple(request.images[1].size) for request in watching.seen]
        assert crops == [(box.right - box.left, box.lower - box.upper) for box in expected]
    assert Settings.of(recipe()).look == "one"


def test_a_best_map_without_a_region_is_answered_directly_or_the_next_best_is_looked_at(settings: Settings) -> None:
    asked = [replace(examples(["left"])[0], question="Is there an effusion?")]  # whose map is flat; the nodule's is not
    gallery, proposer = Gallery(asked), LampProposer()
    assert propose(asked, gallery, proposer, settings) == {asked[0].id: ()}
    (region,) = propose(asked, gallery, proposer, replace(settings, look="each"))[asked[0].id]
    assert region.hypothesis == "nodule"


class Watched(LampEngine):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[GenerateRequest] = []

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        self.seen += requests
        return super().generate(requests)
