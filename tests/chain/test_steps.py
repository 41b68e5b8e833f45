"""What a step asks, how long its text may be and what it sees: the same for whoever asks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from clincot.chain import layout
from clincot.chain.layout import Display, arranged
from clincot.chain.steps import Steps, blocks, direct_question, views_of
from clincot.errors import DataError
from clincot.images.canvas import compose
from clincot.images.views import Gallery
from clincot.records import WHOLE, Box, Region, View
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


def test_a_canvas_holds_image_and_crop_and_no_third() -> None:
    one, two = Image.new("RGB", (8, 6)), Image.new("RGB", (4, 4), "red")
    assert arranged([one, two], "separate") == (one, two)
    assert [shown.tobytes() for shown in arranged([one, two], "canvas")] == [compose(one, two).tobytes()]
    assert arranged([one], "canvas") == (one,)
    with pytest.raises(DataError, match="3 images do not fit"):
        arranged([one, two, two], "canvas")


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
