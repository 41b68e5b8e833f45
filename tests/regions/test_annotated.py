"""The upper bound: what a benchmark knows becomes the region, exactly, and what it does not know is nowhere."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from clincot import recipe
from clincot.errors import DataError
from clincot.images.views import render
from clincot.records import Box, TrueRegion, View
from clincot.regions.annotated import Annotated, shows
from clincot.regions.base import Subject
from clincot.regions.extract import find_region

PICTURE = Image.effect_noise((90, 60), 40).convert("RGB")
EXACT = dataclasses.replace(recipe.Regions(), padding=0.0, least_side=1)


def png(mask: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray((mask * 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def look(regions: tuple[TrueRegion, ...], hypothesis: str, picture: Image.Image = PICTURE):
    (found,) = Annotated.from_pretrained().heat_maps([Subject("study-1", picture, regions)], [[hypothesis]])
    return found[0]


def test_a_known_box_becomes_the_region_to_the_pixel_whatever_its_size():
    for box in (Box(10, 20, 14, 23), Box(0, 0, 90, 50), Box(89, 59, 90, 60)):
        heat_map = look((TrueRegion("nodule", box),), "nodule")
        assert heat_map.confidence == 1.0
        assert find_region(PICTURE, heat_map, EXACT).box == box


def test_a_known_mask_becomes_the_cut_out():
    mask = np.zeros((60, 90), bool)
    mask[10:20, 30:40] = mask[10:40, 30:33] = True  # an L
    region = find_region(PICTURE, look((TrueRegion("effusion", Box(0, 0, 1, 1), png(mask)),), "effusion"), EXACT)
    assert region.box == Box(30, 10, 40, 40)
    pixels = np.asarray(render(PICTURE, View("crop", region)))
    kept = mask[10:40, 30:40]
    assert np.array_equal(pixels[kept], np.asarray(PICTURE)[10:40, 30:40][kept])
    assert (pixels[~kept] == 255).all()


def test_regions_of_one_name_are_united_and_the_largest_part_is_cut():
    regions = (
        TrueRegion("Left Lung", Box(0, 0, 20, 30)),
        TrueRegion("Right Lung", Box(40, 0, 70, 30)),
        TrueRegion("Right Lung", Box(60, 20, 80, 50)),
    )
    heat_map = look(regions, "lung")
    assert heat_map.values.sum() == 20 * 30 + 30 * 30 + 20 * 30 - 10 * 10
    assert find_region(PICTURE, heat_map, EXACT).box == Box(40, 0, 80, 50)
    assert find_region(PICTURE, look(regions, "left lung"), EXACT).box == Box(0, 0, 20, 30)


def test_what_is_not_annotated_is_nowhere():
    for regions in ((), (TrueRegion("nodule", Box(1, 1, 9, 9)),)):
        heat_map = look(regions, "effusion")
        assert (heat_map.confidence, float(heat_map.values.max())) == (0.0, 0.0)
        assert find_region(PICTURE, heat_map, EXACT) is None


@pytest.mark.parametrize(
    ("finding", "hypothesis", "expected"),
    [
        ("nodule", "nodule", True),
        ("Pulmonary_Nodule", "nodule", True),
        ("Liver Cancer", "tumor", True),
        ("Liver Cancer", "liver", False),
        ("Heart", "cardiomegaly", False),
        ("Heart", "heart", True),
        ("Cardiomegaly", "lesion", True),
        ("Some New Finding", "disease", True),
        ("Left Lung", "disease", False),
        ("nodule", "normal", False),
        ("Left Kidney", "left kidney", True),
        ("Left Kidney", "right kidney", False),
    ],
)
def test_names_match_by_word_and_organs_are_no_lesions(finding: str, hypothesis: str, expected: bool):
    assert shows(finding, hypothesis) is expected


def test_boxes_are_cut_at_the_border_and_refused_outside():
    assert find_region(PICTURE, look((TrueRegion("mass", Box(80, -5, 120, 9)),), "mass"), EXACT).box == Box(
        80, 0, 90, 9
    )
    with pytest.raises(DataError, match=r"study-1: the annotation of 'mass' is \(95, 3, 99, 9\), outside its 90x60"):
        look((TrueRegion("mass", Box(95, 3, 99, 9)),), "mass")
    with pytest.raises(DataError, match="mask of"):
        look((TrueRegion("mass", Box(0, 0, 1, 1), png(np.eye(7))),), "mass")


def test_boxes_of_large_images_hold_what_they_should_at_the_map_s_grain():
    picture = Image.new("RGB", (4000, 3000))
    box = find_region(picture, look((TrueRegion("mass", Box(1001, 777, 1203, 901)),), "mass", picture), EXACT).box
    assert box.left <= 1001 and box.upper <= 777 and box.right >= 1203 and box.lower >= 901
    assert max(1001 - box.left, 777 - box.upper, box.right - 1203, box.lower - 901) <= 4
