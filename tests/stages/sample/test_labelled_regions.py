"""Statements about known regions and their mirror images: which are made, which of the two is right, what is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from clincot.images import encode_png
from clincot.recipe import Regions
from clincot.records import Box, Example, TrueRegion
from clincot.stages.sample.labelled import Labelled
from clincot.stages.sample.labelled_regions import labelled_regions

BLANK = encode_png(Image.fromarray(np.zeros((80, 100, 3), np.uint8)))
SETTINGS = Regions(padding=0.0, least_side=20)
NODULE = Box(10, 10, 20, 20)


def example(number: int, *known: TrueRegion, question: str = "What is seen?") -> Example:
    name = f"image {number}"
    made = Example(f"{name}/{question}", name, BLANK, question, "a nodule", "open", "open", "ct", "a nodule")
    return replace(made, true_regions=known)


def boxes(found: list[tuple[Labelled, object]]) -> list[Box]:
    return [rate.views[1].region.box for _, rate in found]  # type: ignore[attr-defined]


def test_one_of_two_regions_shows_the_finding_and_each_statement_is_right_of_one() -> None:
    asked = [example(0, TrueRegion("Nodule", NODULE)), example(0, TrueRegion("Nodule", NODULE), question="Where?")]
    found = labelled_regions(asked, 10, 0, SETTINGS)
    assert [(q.right, q.wrong) for q, _ in found] == [
        ("Nodule is seen here.", "No nodule is seen here."),
        ("No nodule is seen here.", "Nodule is seen here."),
    ]
    # Grown to 20 x 20 about the nodule, and on the other side of 100 pixels.
    assert boxes(found) == [Box(5, 5, 25, 25), Box(75, 5, 95, 25)]
    assert all(rate.reference == "a nodule" and not rate.report for _, rate in found)
    blind = labelled_regions(asked, 10, 0, SETTINGS, images=False)
    assert [rate.views for _, rate in blind] == [(), ()]


@pytest.mark.parametrize(
    ("known", "second"),
    [
        ([NODULE, Box(80, 10, 90, 20)], Box(75, 55, 95, 75)),  # the other side has one too: below it
        ([NODULE, Box(70, 0, 99, 79)], Box(5, 55, 25, 75)),  # the other side is taken: below the first
        ([Box(0, 0, 100, 80)], None),  # there is no room
    ],
)
def test_the_second_region_meets_no_known_one(known: list[Box], second: Box | None) -> None:
    found = labelled_regions([example(0, *(TrueRegion("nodule", box) for box in known))], 10, 0, SETTINGS)
    assert boxes(found)[1:] == ([] if second is None else [second])


def test_organs_tell_nothing_and_whole_pairs_are_counted() -> None:
    organ = example(0, TrueRegion("Left Lung", NODULE))
    assert labelled_regions([organ, example(1)], 10, 0, SETTINGS) == []
    several = [example(i, TrueRegion("nodule", NODULE), TrueRegion("Liver", Box(60, 0, 99, 40))) for i in range(5)]
    assert len(labelled_regions(several, 7, 0, SETTINGS)) == 6
    orders = {tuple(q.example.image_id for q, _ in labelled_regions(several, 4, seed, SETTINGS)) for seed in range(9)}
    assert len(orders) > 1


def test_an_image_that_cannot_be_read_is_left_out() -> None:
    broken = replace(example(0, TrueRegion("nodule", NODULE)), image=b"no image")
    assert len(labelled_regions([broken, example(1, TrueRegion("nodule", NODULE))], 10, 0, SETTINGS)) == 2
