"""Version 2's layouts and images: laws of the objects, and lines that a small view cannot show."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.fine import VIEW, fine_layer
from clincot.phantom.v2.objects import CONTRAST, GAP, KINDS, RADIUS, objects


@pytest.fixture(scope="module")
def layouts():
    return [objects(0, index) for index in range(150)]


def test_an_image_is_drawn_from_its_layout_and_equal_seeds_give_equal_pixels():
    first, again = draw(3, 7), draw(3, 7)
    assert np.array_equal(first.image, again.image) and first.image.shape == (256, 256)
    assert first.layout.things == objects(3, 7).things
    assert not np.array_equal(first.image, draw(3, 8).image)


def test_lesions_and_distractors_are_as_many_as_their_laws_say(layouts):
    lesions = Counter(len(layout.lesions) for layout in layouts)
    assert set(lesions) == {0, 1, 2, 3, 4} and lesions[4] < lesions[1]
    assert {len(layout.distractors) for layout in layouts} == {2, 3, 4, 5}
    assert {thing.kind for layout in layouts for thing in layout.things} == set(KINDS)


def test_objects_keep_their_distance_and_lie_where_they_say(layouts):
    for layout in layouts:
        for one, other in combinations(layout.things, 2):
            assert np.hypot(*np.subtract(one.centre, other.centre)) >= one.radius + other.radius + GAP
        for thing in layout.things:
            x, y = (round(value) for value in thing.centre)
            lung = layout.anatomy.lungs[thing.side]
            assert lung.mask[y, x] and lung.zone(thing.centre[1]) == thing.zone
            box, rows = thing.box, np.argwhere(thing.mask())
            assert abs(rows[:, 0].min() - box.upper) <= 4 and abs(rows[:, 1].max() - box.right) <= 4


def test_radius_and_contrast_follow_one_law_for_every_kind(layouts):
    things = [thing for layout in layouts for thing in layout.things]
    assert all(RADIUS[0] <= t.radius <= RADIUS[1] and CONTRAST[0] <= t.contrast <= CONTRAST[1] for t in things)
    assert abs(np.corrcoef([t.radius for t in things], [t.contrast for t in things])[0, 1]) < 0.12
    lesion = np.mean([t.radius for t in things if t.lesion])
    assert abs(lesion - np.mean([t.radius for t in things if not t.lesion])) < 0.8
    assert {t.quintile for t in things} == {0, 1, 2, 3, 4} and {t.band for t in things} == {"small", "medium", "large"}


def test_the_dimmer_set_differs_in_contrast_alone():
    for plain, dim in zip(objects(0, 5).things, objects(0, 5, contrast=0.8).things, strict=True):
        assert dim.contrast == pytest.approx(0.8 * plain.contrast)
        assert (dim.centre, dim.radius, dim.kind) == (plain.centre, plain.radius, plain.kind)


def test_the_lines_of_distractors_vanish_in_the_global_view_and_not_in_the_image(layouts):
    layer = fine_layer(layouts[0], np.random.default_rng(0))
    small = np.asarray(Image.fromarray(layer).resize((VIEW, VIEW), Image.Resampling.BICUBIC))
    assert np.abs(layer).max() > 0.1 and np.abs(small).max() < 1e-4
