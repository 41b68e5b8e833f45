"""The grid: the n-th hypothesis looks at the n-th cell, and six cells are the whole image."""

from __future__ import annotations

import dataclasses

from PIL import Image

from clincot import recipe
from clincot.records import Box
from clincot.regions.base import Subject
from clincot.regions.extract import find_region
from clincot.regions.grid import Grid

EXACT = dataclasses.replace(recipe.Regions(), padding=0.0, least_side=1)


def boxes(width: int, height: int, names: list[str]) -> list[Box]:
    picture = Image.new("RGB", (width, height))
    (found,) = Grid.from_pretrained().heat_maps([Subject("a", picture)], [names])
    assert [heat_map.hypothesis for heat_map in found] == names
    return [find_region(picture, heat_map, EXACT).box for heat_map in found]


def test_cells_come_in_reading_order_and_begin_again():
    found = boxes(300, 200, list("abcdefg"))
    assert found[:3] == [Box(0, 0, 100, 100), Box(100, 0, 200, 100), Box(200, 0, 300, 100)]
    assert found[3] == Box(0, 100, 100, 200)
    assert found[6] == found[0]


def test_six_cells_cover_an_image_of_odd_sides_without_overlap():
    found = boxes(301, 199, list("abcdef"))
    assert sum((b.right - b.left) * (b.lower - b.upper) for b in found) == 301 * 199


def test_a_hypothesis_s_place_decides_not_its_name():
    assert boxes(90, 60, ["nodule", "effusion"]) == boxes(90, 60, ["effusion", "nodule"])
