"""Statements of version 2: six levels of truth, any wording is read back, chains see different nodules."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from clincot.phantom.drawing.anatomy import SIDES, ZONES
from clincot.phantom.v2.objects import objects
from clincot.phantom.v2.policy.looks import at_lesions, chain_of, seen
from clincot.phantom.v2.texts.statements import FORMS, UNSEEN_FORMS, Statement, level, read, shown, statement_of, write
from clincot.phantom.v2.texts.told import INVENTED, MENTIONED, told
from clincot.phantom.v2.texts.wording import ASKED, UNSEEN


def test_every_statement_is_read_back_from_every_wording() -> None:
    said = [Statement(0), *(Statement(*parts) for parts in itertools.product(range(1, 5), range(5), SIDES, ZONES))]
    for statement, form in itertools.product(said, (*FORMS, *UNSEEN_FORMS)):
        assert read(write(statement, form)) == statement


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A nodule.",
        "The local image shows one nodule in the left upper zone.",
        "The local image shows one small nodule in the left right upper zone.",
        "The local image shows one small nodule in the left zone.",
        "There is no nodule and one small nodule in the left upper zone.",
    ],
)
def test_a_text_that_lacks_a_part_or_says_two_things_is_not_read(text: str) -> None:
    assert read(text) is None
    assert level(read(text), Statement(0)) == 0


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Statement(2, 1, "left", "upper"), 5),
        (Statement(1, 1, "left", "upper"), 4),
        (Statement(1, 2, "left", "upper"), 3),
        (Statement(2, 2, "right", "lower"), 2),
        (Statement(1, 2, "right", "lower"), 1),
        (Statement(0), 0),
    ],
)
def test_truth_has_six_levels(said: Statement, expected: int) -> None:
    assert level(said, Statement(2, 1, "left", "upper")) == expected


def test_an_invented_nodule_has_no_part_right() -> None:
    assert level(Statement(1, 0, "left", "upper"), Statement(0)) == 0
    assert level(Statement(0), Statement(0)) == 5


def test_unseen_paraphrases_share_no_sentence_with_training() -> None:
    assert not set(FORMS) & set(UNSEEN_FORMS)
    assert set(ASKED) == set(UNSEEN)
    assert all(not set(ASKED[kind]) & set(UNSEEN[kind]) for kind in ASKED)


def test_a_report_mentions_by_size_and_invents_evenly() -> None:
    rng = np.random.default_rng(5)
    lesions: list[list[bool]] = [[] for _ in MENTIONED]
    invented: dict[str, list[bool]] = {}
    for index in range(300):
        layout = objects(11, index)
        named = told(layout, rng)
        for thing in layout.things:
            group = lesions[thing.quintile] if thing.lesion else invented.setdefault(thing.kind, [])
            group.append(thing in named)
    for found, chance in zip(lesions, MENTIONED, strict=True):
        assert np.mean(found) == pytest.approx(chance, abs=0.15)
    assert len(invented) == 4
    assert all(np.mean(found) == pytest.approx(INVENTED, abs=0.1) for found in invented.values())


def test_an_oracle_sees_as_many_different_nodules_as_it_has_steps() -> None:
    """Random chains see fewer; a region that shows the same nodule again counts once."""
    rng = np.random.default_rng(3)
    right, drawn, there = 0, 0, 0
    for index in range(100):
        layout = objects(12, index)
        boxes = at_lesions(layout, 3, rng)
        found = seen(layout.lesions, boxes)
        assert len({id(thing) for thing in found}) == len(found) >= min(3, len(layout.lesions))
        assert seen(layout.lesions, [boxes[0], boxes[0]]) == seen(layout.lesions, [boxes[0]])
        right += len(found)
        drawn += len(seen(layout.lesions, chain_of(layout, 3, rng)))
        there += len(layout.lesions)
    assert right >= 0.9 * there > drawn


def test_what_a_region_says_is_about_its_largest_nodule() -> None:
    layout = next(found for found in (objects(13, index) for index in range(99)) if len(found.lesions) > 1)
    large, small = layout.lesions[:2]
    said = statement_of([small, large])
    assert (said.number, said.size, said.side, said.zone) == (2, large.quintile, large.side, large.zone)
    assert shown(layout.lesions, large.box)[0] is large
