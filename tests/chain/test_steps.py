"""What a step asks, how long its text may be and what it sees: the same for whoever asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from clincot.chain import layout
from clincot.chain.layout import Display, arranged
from clincot.chain.steps import Steps, blocks, direct_question, views_of
from clincot.images import encode_png
from clincot.images.canvas import GAP, compose
from clincot.images.views import Gallery
from clincot.records import WHOLE, Box, FurtherImage, Region, View, whole
from tests.lamps import examples

CROP = View("crop", Region("nodule", Box(8, 20, 30, 40), 0.5))


def test_the_last_step_asks_for_the_answer_and_only_a_whole_report_is_long() -> None:
    closed, _, report = examples(["left"])
    steps = Steps(3, max_new_tokens=7, report_tokens=99)
    for asked, lengths in ((closed, [7, 7, 7]), (report, [7, 7, 99])):
        assert [steps.length(asked, step) for step in (1, 2, 3)] == lengths
    said = [steps.messages(closed, step, ("It is lit.",) * (step - 1))[0]["content"][-1]["text"] for step in (1, 2, 3)]
    assert ["State in one sentence" in text for text in said] == [True, True, False]
    assert [text.count("It is lit.") for text in said] == [0, 1, 2]
    assert "Write the report" in steps.messages(report, 3, ())[0]["content"][-1]["text"]
    assert "Write the report" in direct_question(report)[0]["content"][-1]["text"]


@pytest.mark.parametrize(("arrangement", "count"), [("separate", 2), ("canvas", 1)])
def test_a_request_carries_an_image_for_each_block_of_its_prompt(arrangement: str, count: int) -> None:
    asked = examples(["left"])[0]
    steps = Steps(2, 7, 99, arrangement)  # type: ignore[arg-type]
    display = Display(Gallery([asked]), arrangement)  # type: ignore[arg-type]
    turns = steps.messages(asked, 1, ())
    assert [block["type"] for block in turns[0]["content"]].count("image") == count
    assert len(display.images(asked.id, views_of(CROP.region))) == count
    assert len(display.images(asked.id, views_of(None))) == 1
    assert blocks(1, arrangement) == 1 and blocks(0, arrangement) == 0  # type: ignore[arg-type]


def test_a_canvas_holds_all_images_of_a_request() -> None:
    one, two = Image.new("RGB", (8, 6)), Image.new("RGB", (4, 4), "red")
    assert arranged([one, two], "separate") == (one, two)
    assert [shown.tobytes() for shown in arranged([one, two], "canvas")] == [compose(one, two).tobytes()]
    assert arranged([one], "canvas") == (one,)
    (three,) = arranged([one, two, one], "canvas")
    assert three.size == (8 + GAP + 6 + GAP + 8,) * 2
    assert three.getpixel((three.width - 1, three.height // 2)) == (0, 0, 0)  # the last image ends at the right edge


@pytest.mark.parametrize(("arrangement", "count"), [("separate", 3), ("canvas", 1)])
def test_a_question_about_several_images_has_a_block_for_each_or_one_canvas(arrangement: Any, count: int) -> None:
    pictures = [encode_png(Image.new("RGB", (8, 6), colour)) for colour in ("black", "red", "blue")]
    one = replace(examples(["left"])[1], image=pictures[0])
    several = replace(one, more=tuple(FurtherImage(f"m{i}", data) for i, data in enumerate(pictures[1:])))
    assert whole(one) == (WHOLE,) and direct_question(one, arrangement) == direct_question(one)
    asked = direct_question(several, arrangement)[0]["content"]
    assert [block["type"] for block in asked].count("image") == count
    assert asked[-1]["text"].endswith("based on the images.")
    shown = Display(Gallery([several]), arrangement).images(several.id, whole(several))
    colours = [image.getpixel((0, 0)) for image in shown]
    assert colours == ([(0, 0, 0), (255, 0, 0), (0, 0, 255)] if count == 3 else [(255, 255, 255)])
    crop = View("crop", Region("nodule", Box(0, 0, 4, 4), 0.5), image=2)  # of the third image
    assert Gallery([several]).show(several.id, crop).getpixel((0, 0)) == (0, 0, 255)


def test_an_image_and_a_canvas_are_drawn_once_for_all_questions_and_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Image.Image] = []

    def counted(*seen: Image.Image) -> Image.Image:
        made.append(compose(*seen))
        return made[-1]

    monkeypatch.setattr(layout, "compose", counted)
    asked = examples(["left"])  # three questions about one image
    for arrangement in ("separate", "canvas"):
        display = Display(Gallery(asked), arrangement)  # type: ignore[arg-type]
        seen = [display.images(e.id, (WHOLE, replace(CROP))) for e in asked for _ in range(3)]
        assert all(image is first for shown in seen for image, first in zip(shown, seen[0], strict=True))
    assert len(made) == 1


def test_in_the_dark_all_that_is_seen_is_black_and_has_its_size() -> None:
    asked = examples(["left"])[0]
    shown = Display(Gallery([asked]), "separate", dark=True).images(asked.id, (WHOLE, CROP))
    assert [image.size for image in shown] == [(64, 64), (22, 20)]
    assert all(image.getextrema() == ((0, 0),) * 3 for image in shown)
    (canvas,) = Display(Gallery([asked]), "canvas", dark=True).images(asked.id, (WHOLE, CROP))
    assert canvas.getcolors() and {colour for _, colour in canvas.getcolors()} == {(0, 0, 0), (255, 255, 255)}
