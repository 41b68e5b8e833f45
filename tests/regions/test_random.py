"""Random boxes: the same at every call, other ones for another image, hypothesis or key."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image

from clincot import recipe
from clincot.regions.base import Subject
from clincot.regions.extract import find_region
from clincot.regions.random import Random

EXACT = dataclasses.replace(recipe.Regions(), padding=0.0, least_side=1)
PICTURE = Image.new("RGB", (480, 480))


def maps(proposer: Random, image_id: str, names: list[str]) -> list[np.ndarray]:
    (found,) = proposer.heat_maps([Subject(image_id, PICTURE)], [names])
    return [heat_map.values for heat_map in found]


def test_neither_batch_nor_order_changes_a_box():
    proposer = Random.from_pretrained()
    one, other = maps(proposer, "a", ["nodule", "effusion"])
    again, first = maps(Random.from_pretrained(), "a", ["effusion", "nodule"])
    assert np.array_equal(one, first)
    assert np.array_equal(other, again)
    batch = proposer.heat_maps([Subject("b", PICTURE), Subject("a", PICTURE)], [["mass"], ["nodule"]])
    assert np.array_equal(batch[1][0].values, one)


def test_image_hypothesis_and_key_each_change_it():
    (one,) = maps(Random.from_pretrained(), "a", ["nodule"])
    others = [
        maps(Random.from_pretrained(), "b", ["nodule"])[0],
        maps(Random.from_pretrained(), "a", ["effusion"])[0],
        maps(Random.from_pretrained(key="another"), "a", ["nodule"])[0],
    ]
    assert not any(np.array_equal(one, other) for other in others)


def test_boxes_keep_to_their_sides_and_go_everywhere():
    found = [find_region(PICTURE, h, EXACT).box for h in _many(200)]
    sides = np.array([(b.right - b.left, b.lower - b.upper) for b in found]) / 480
    assert sides.min() >= 0.18 and sides.max() <= 0.63
    covered = np.zeros((480, 480), int)
    for box in found:
        covered[box.upper : box.lower, box.left : box.right] += 1
    assert (covered > 0).mean() > 0.98


def _many(count: int):
    subjects = [Subject(f"image-{number}", PICTURE) for number in range(count)]
    return [found[0] for found in Random.from_pretrained().heat_maps(subjects, [["nodule"]] * count)]
