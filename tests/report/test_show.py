"""What notebooks show of examples and pairs: outlines where the boxes are, hostile texts as text, no script."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clincot
from clincot.chain.steps import direct_question
from clincot.errors import ClincotError, DataError
from clincot.records import WHOLE, Box, FurtherImage, Region, TrueRegion, View
from clincot.records.pairs import Pair, Side
from clincot.report.fragments.drawn import COLOURS, heated, outlined
from clincot.report.fragments.examples import Outline
from clincot.runs.results import RunResults
from tests.lamps import examples, picture
from tests.objectives.rows import make_row
from tests.outline import Outline as Page
from tests.report.test_results_page import evaluation

HOSTILE = '</bdi><script>window.ran = true</script> \u202egnorw <img src=x onerror="window.ran = true">'
EXAMPLE = examples(("left",))[1]
LAMP = Region("nodule", Box(8, 24, 20, 36), 0.9)


def pair(chosen: str = "left", rejected: str = "right") -> Pair:
    sides = [Side(said, (View("crop", LAMP),), score=0.75, region=LAMP) for said in (chosen, rejected)]
    prompt = tuple(direct_question(EXAMPLE, "separate"))
    return Pair("p", EXAMPLE.id, 1, "own", prompt, (WHOLE,), *sides, f"{EXAMPLE.id}/1")


def shown_images(html: str) -> list[Image.Image]:
    """Return the images of a piece of HTML; anything else that it would load fails the test."""
    page = Page("meta", "img")
    page.feed(html)
    assert page.open == [] and all(load.startswith("data:image/png;base64,") for load in page.loads)
    return [Image.open(io.BytesIO(base64.b64decode(load.partition(",")[2]))) for load in page.loads]


def test_an_example_is_shown_with_its_true_region_outlined() -> None:
    known = replace(EXAMPLE, true_regions=(TrueRegion("nodule", Box(8, 24, 20, 36)),))
    shown = clincot.show(known)
    (image,) = shown_images(shown._repr_html_())
    assert image.size == (320, 320)
    amber = np.argwhere((np.asarray(image) == COLOURS[0]).all(-1))
    assert tuple(amber.min(0)) == (120, 40) and tuple(amber.max(0)) == (179, 99)  # five times the box, half-open
    assert "On which side is the nodule?" in shown.html and "left" in shown.html and repr(shown).startswith("example ")
    more = replace(EXAMPLE, more=(FurtherImage("second", examples(("right",))[0].image),))
    assert len(shown_images(clincot.show(more).html)) == 2


def test_a_pair_is_shown_with_what_each_side_saw() -> None:
    html = clincot.show(pair(), EXAMPLE).html
    sizes = [image.size for image in shown_images(html)]
    assert sizes == [(320, 320), (12, 12), (12, 12)]
    assert html.count('width="160"') == 2 and "0.750" in html and "chosen: nodule" in html
    with pytest.raises(DataError, match=r"show\(pair, example\)"):
        clincot.show(pair())
    with pytest.raises(DataError, match="not of lamps/0/closed"):
        clincot.show(pair(), examples(("left",))[0])


def test_a_row_of_a_dataset_is_shown_with_its_images_decoded_or_encoded_or_absent() -> None:
    row = make_row(0, chosen_finish="length")
    decoded = {
        name: [Image.open(io.BytesIO(one["bytes"])) for one in row[name]]
        if name in ("images", "side_images")
        else row[name]
        for name in row
    }
    html = clincot.show(row).html
    assert html == clincot.show(decoded).html and len(shown_images(html)) == 3 and "limit of its length" in html
    assert shown_images(clincot.show(make_row(0, images=None, side_images=None)).html) == []


@pytest.mark.parametrize("place", ["question", "answer", "id", "finding", "chosen", "hypothesis"])
def test_hostile_texts_are_text(place: str) -> None:
    if place == "finding":
        html = clincot.show(replace(EXAMPLE, true_regions=(TrueRegion(HOSTILE, Box(1, 1, 9, 9)),))).html
    elif place == "chosen":
        html = clincot.show(pair(chosen=HOSTILE), EXAMPLE).html
    elif place == "hypothesis":
        region = {"hypothesis": HOSTILE, "box": [0, 0, 9, 9], "confidence": 0.5}
        html = clincot.show(make_row(0, chosen_region=region)).html
    else:
        html = clincot.show(replace(EXAMPLE, **{place: HOSTILE})).html
    shown_images(html)
    assert "<script" not in html and "&lt;script&gt;" in html and "<img src=x" not in html
    assert not re.search(r"\son\w+=\"", re.sub(r"&\w+;", "", html.replace("onerror=", "")))


def test_a_very_long_text_is_cut_and_says_so() -> None:
    html = clincot.show(replace(EXAMPLE, answer="x" * 100_000)).html
    assert "(98,000 more characters)" in html and len(html) < 20_000


def test_what_is_neither_example_nor_pair_is_refused() -> None:
    for other in ({"id": "x"}, 3, None):
        with pytest.raises(DataError, match="neither an example nor a pair"):
            clincot.show(other)  # type: ignore[arg-type]


def test_a_heat_map_is_warm_where_it_is_high_and_leaves_the_image_where_it_is_low() -> None:
    image, values = picture("left"), np.zeros((2, 2), np.float32)
    values[0, 1], values[1, 0] = 2.0, np.nan
    warm, plain = (np.asarray(one, np.int16) for one in (heated(image, values, 2), image.resize((128, 128))))
    assert warm.shape == (128, 128, 3)
    assert np.abs(warm[:30, 98:] - plain[:30, 98:]).max() > 100 and np.abs(warm[98:] - plain[98:])[:, :30].max() <= 1
    for flat in (np.zeros((3, 3), np.float32), np.full((2, 2), np.nan, np.float32)):
        assert np.asarray(heated(image, flat, 1)).tolist() == np.asarray(image).tolist()


def test_names_in_any_script_are_drawn() -> None:
    drawn = outlined(picture(""), [Outline("肺结节 узелок", Box(2, 2, 60, 60))], 8, names=True)
    assert drawn.size == (512, 512) and np.asarray(drawn).max() > 200


def test_results_are_frames(tmp_path: Path) -> None:
    made = evaluation(tmp_path)
    results = RunResults(None, None, made)  # type: ignore[arg-type]
    frame = results.frame()
    assert len(frame) == len(made.results) and {"metric", "policy", "value", "low", "high", "n"} <= set(frame.columns)
    asked = frame.query("metric == 'closed_accuracy' and policy == 'base' and inference == 'region' and control == ''")
    assert asked[(asked.by == "") & (asked.protocol == made.protocol)].value.item() == pytest.approx(
        results.find("closed_accuracy", "base").value
    )
    assert len(results.frame("predictions")) == len(made.predictions)
    assert set(results.frame("comparisons").columns) >= {"against", "value"}
    with pytest.raises(ClincotError, match="Did you mean 'predictions'"):
        results.frame("prediction")  # type: ignore[arg-type]
