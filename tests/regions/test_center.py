"""The centre: the same box for every hypothesis, half of each side."""

from __future__ import annotations

import dataclasses

import pytest
from PIL import Image

from clincot import recipe
from clincot.records import Box
from clincot.regions.base import Subject
from clincot.regions.center import Center
from clincot.regions.extract import find_region

EXACT = dataclasses.replace(recipe.Regions(), padding=0.0, least_side=1)


@pytest.mark.parametrize(
    ("size", "box"), [((400, 200), Box(100, 50, 300, 150)), ((96, 48), Box(24, 12, 72, 36)), ((3, 3), Box(1, 1, 2, 2))]
)
def test_the_box_is_the_middle_half_of_each_side(size: tuple[int, int], box: Box):
    picture = Image.new("RGB", size)
    (found,) = Center.from_pretrained().heat_maps([Subject("a", picture)], [["nodule", "effusion"]])
    assert [find_region(picture, heat_map, EXACT).box for heat_map in found] == [box, box]
    assert [heat_map.confidence for heat_map in found] == [0.5, 0.5]
