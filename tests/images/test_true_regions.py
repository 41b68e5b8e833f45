"""Pixels that are not square become square, and the benchmark's boxes and masks follow, wherever they meet an image."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clincot.errors import UnreadableImage
from clincot.images import decode, encode_png, grid_of
from clincot.images.square import Grid, square_grid
from clincot.images.true_regions import shown_regions
from clincot.images.views import Gallery
from clincot.lm.work import finish
from clincot.records import Box, Example, TrueRegion, View
from clincot.regions.annotated import Annotated
from clincot.stages.evaluate.grounding import grounding_terms
from clincot.stages.evaluate.inference import Settings, propose
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench
from tests.dicoms import dicom
from tests.lamps import recipe

VALUES = np.zeros((40, 60), np.uint16)
VALUES[10:20, 30:45] = 1000
LESION = Box(30, 10, 45, 20)


def size_of(**tags: object) -> tuple[int, int]:
    return decode(dicom(VALUES, **tags), "study-1").size


@pytest.mark.parametrize("name", ["PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"])
@pytest.mark.parametrize(
    ("spacing", "size"),
    [
        (["1", "0.5"], (60, 80)),
        (["0.5", "1"], (120, 40)),
        (["0.7", "0.7"], (60, 40)),
        (["0.143", "0.1432"], (60, 40)),  # rounded in the header, square in the machine
        (["0.2", "0.15"], (60, 53)),
    ],
)
def test_pixels_become_square_at_the_finer_spacing(name: str, spacing: list[str], size: tuple[int, int]):
    assert size_of(**{name: spacing}) == size


@pytest.mark.parametrize(
    ("ratio", "size"), [([2, 1], (60, 80)), ([1, 2], (120, 40)), ([3, 2], (60, 60)), ([1, 1], (60, 40))]
)
def test_an_aspect_ratio_is_height_to_width(ratio: list[int], size: tuple[int, int]):
    assert size_of(PixelAspectRatio=ratio) == size


def test_the_first_spacing_that_can_be_used_counts():
    assert size_of(PixelSpacing=["1", "1"], PixelAspectRatio=[2, 1]) == (60, 40)
    assert size_of(PixelSpacing=["0", "1"], PixelAspectRatio=[2, 1]) == (60, 80)
    assert size_of(PixelSpacing=["1"], ImagerPixelSpacing=["1", "0.5"]) == (60, 80)


def test_colours_become_square_too():
    colours = np.zeros((4, 6, 3), np.uint8)
    colours[..., 0] = 200
    found = decode(dicom(colours, PixelAspectRatio=[2, 1]))
    assert found.size == (6, 8)
    assert np.array_equal(np.asarray(found)[0, 0], [200, 0, 0])


def test_a_ratio_that_blows_the_image_up_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pydicom.pixels.pixel_array", lambda *_, **__: pytest.fail("was decoded"))
    with pytest.raises(UnreadableImage, match="study-1: 60x[0-9]+ pixels are more than"):
        size_of(PixelAspectRatio=[2_000_000, 1])


def test_resolutions_of_other_formats_are_for_printers():
    for kind in ("PNG", "TIFF", "JPEG"):
        buffer = io.BytesIO()
        Image.new("L", (60, 40)).save(buffer, kind, dpi=(100, 200))
        assert decode(buffer.getvalue()).size == (60, 40)
        assert grid_of(buffer.getvalue()) == Grid((60, 40), (60, 40))


def test_a_box_covers_all_shown_pixels_that_it_touches():
    assert square_grid((60, 40), 1.0, 0.5).box(Box(30, 10, 45, 20)) == Box(30, 20, 45, 40)
    assert square_grid((60, 40), 2.0, 3.0).box(Box(1, 3, 2, 4)) == Box(1, 3, 3, 4)
    assert square_grid((60, 40), 2.0, 3.0).box(Box(0, 0, 60, 40)) == Box(0, 0, 90, 40)


def example(data: bytes, *regions: TrueRegion) -> Example:
    return Example(
        "q1", "study-1", data, "Is there a nodule?", "yes", "closed", "presence", "chest x-ray", "yes", regions
    )


def masked(size: tuple[int, int]) -> TrueRegion:
    """The lesion as a mask, in an image of `size` that is 60 x 40 by rights."""
    inside = np.zeros((40, 60), np.uint8)
    inside[10:20, 30:45] = 255
    return TrueRegion("nodule", LESION, encode_png(Image.fromarray(inside).resize(size, Image.Resampling.NEAREST)))


SPACED = {
    "tall pixels": ({"PixelSpacing": ["1", "0.5"]}, Box(30, 20, 45, 40)),
    "wide pixels": ({"PixelAspectRatio": [1, 2]}, Box(60, 10, 90, 20)),
    "square": ({"PixelSpacing": ["1", "1"]}, LESION),
    "2 to 3": ({"ImagerPixelSpacing": ["0.3", "0.2"]}, Box(30, 15, 45, 30)),
}


@pytest.mark.parametrize("name", SPACED)
@pytest.mark.parametrize("region", [TrueRegion("nodule", LESION), masked((60, 40))], ids=["box", "mask"])
def test_proposer_and_metrics_look_where_the_lesion_is_shown(name: str, region: TrueRegion):
    tags, box = SPACED[name]
    asked = example(dicom(VALUES, **tags), region)
    picture = decode(asked.encoded())
    lesion = np.asarray(picture.crop(box))
    assert lesion.mean() > 230 and np.asarray(picture).sum() < lesion.sum() * 1.2  # it is there and nowhere else
    (found,) = shown_regions(asked)
    assert found.box == box
    settings = Settings.of(recipe())
    (region_found,) = propose([asked], Gallery([asked]), Annotated("key"), settings)["q1"]
    middle = ((box.left + box.right) / 2, (box.upper + box.lower) / 2)
    looked = region_found.box
    assert looked.left <= box.left and looked.right >= box.right
    assert looked.upper <= box.upper and looked.lower >= box.lower
    assert looked.left < middle[0] < looked.right and looked.upper < middle[1] < looked.lower
    pointed = Prediction("q1", "study-1", "base", "region", "yes", (), "nodule", box, "")
    assert grounding_terms("region_iou", pointed, asked) == pytest.approx(
        grounding_terms(
            "region_iou",
            Prediction("q1", "study-1", "b", "region", "yes", (), "nodule", LESION, ""),
            example(dicom(VALUES), region),
        )
    )


@pytest.mark.parametrize("name", SPACED)
def test_a_build_looks_where_the_lesion_is_shown(name: str):
    tags, box = SPACED[name]
    bench = Workbench(recipe(), 1, Models(None, Annotated("key"), ()))  # type: ignore[arg-type]
    asked = example(dicom(VALUES, **tags), masked((60, 40)))
    finish(bench.look([asked]))
    assert bench.regions["study-1"] and not bench.unreadable
    for found in bench.regions["study-1"]:
        assert found.box.left <= box.left and found.box.right >= box.right
        assert found.box.upper <= box.upper and found.box.lower >= box.lower
        inside = (np.asarray(bench.gallery.show(asked.id, View("crop", found)))[..., 0] > 200).sum()
        assert inside >= 0.9 * (box.right - box.left) * (box.lower - box.upper)


def test_a_mask_of_another_size_is_not_touched():
    shown = masked((60, 80))
    asked = example(dicom(VALUES, PixelSpacing=["1", "0.5"]), shown)
    assert Image.open(io.BytesIO(shown_regions(asked)[0].mask or b"")).size == (60, 80)


def test_unreadable_images_keep_their_regions():
    region = TrueRegion("nodule", LESION)
    assert shown_regions(example(b"no image", region)) == (region,)
    assert shown_regions(example(dicom(VALUES)[:200], region)) == (region,)


def test_an_upright_photograph_has_its_boxes_as_they_are(tmp_path: Path):
    buffer = io.BytesIO()
    Image.new("L", (60, 40)).save(buffer, "PNG")
    region = TrueRegion("nodule", LESION)
    assert shown_regions(example(buffer.getvalue(), region)) == (region,)
