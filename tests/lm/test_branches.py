"""What stood behind a trunk is found again: the longest beginning, never all of it, and its own keys and values."""

from __future__ import annotations

import pytest
import torch

from clincot.lm.branches import Branches, Layers
from clincot.lm.segments import Prompt, Segment

TRUNK = (Segment((7, 7), ("picture",)),)


def prompt(*ids: int, images: tuple[str, ...] = (), trunk: tuple[Segment, ...] = TRUNK) -> Prompt:
    return Prompt(trunk, Segment(ids, images))


def layers(*ids: int) -> Layers:
    """One layer whose keys are the ids, so that a wrong stretch is seen."""
    keys = torch.tensor(ids, dtype=torch.float32)[None, :, None]
    return ((keys, -keys),)


def read(stretches: tuple[Layers, ...]) -> list[int]:
    keys = [part[0][0].flatten().tolist() for part in stretches]
    values = [part[0][1].flatten().tolist() for part in stretches]
    assert [[-x for x in part] for part in values] == keys
    return [int(x) for part in keys for x in part]


@pytest.fixture
def branches() -> Branches:
    kept = Branches(10_000)
    kept.keep(prompt(1, 2, 3, 4), (), layers(1, 2, 3, 4))
    kept.keep(prompt(1, 5, 6), (), layers(1, 5, 6))
    return kept


@pytest.mark.parametrize(
    ("asked", "shared"),
    [((1, 2, 3, 9), [1, 2, 3]), ((1, 5, 6, 8), [1, 5, 6]), ((1, 4), [1]), ((0, 2), []), ((9, 9), [])],
)
def test_the_longest_beginning_is_found(branches, asked, shared):
    length, stretches = branches.longest(prompt(*asked))
    assert length == len(shared)
    assert read(stretches) == shared


def test_an_equal_text_leaves_its_last_token_to_be_read(branches):
    assert read(branches.longest(prompt(1, 2, 3, 4))[1]) == [1, 2, 3]
    assert branches.longest(prompt(1))[0] == 0


def test_a_text_that_grew_is_found_in_its_stretches(branches):
    _, shared = branches.longest(prompt(1, 2, 3, 8, 9))
    branches.keep(prompt(1, 2, 3, 8, 9), shared, layers(8, 9))
    assert read(branches.longest(prompt(1, 2, 3, 8, 0))[1]) == [1, 2, 3, 8]


def test_other_trunks_and_texts_with_images_share_nothing(branches):
    other = (Segment((7, 7), ("another picture",)),)
    assert branches.longest(prompt(1, 2, 3, 9, trunk=other))[0] == 0
    branches.keep(prompt(1, 2, 8, images=("a",)), (), layers(1, 2, 8))
    assert read(branches.longest(prompt(1, 2, 8, 9))[1]) == [1, 2]  # of the text without an image
    assert branches.longest(prompt(1, 2, 3, 9, images=("b",)))[0] == 0


def test_the_least_recently_used_go_beyond_the_limit():
    kept = Branches(3 * 2 * 4 * 2)  # two texts of three tokens, keys and values of four bytes
    for first in (1, 2, 3):
        kept.keep(prompt(first, 0, 0), (), layers(first, 0, 0))
        kept.longest(prompt(1, 0, 9))
    assert [kept.longest(prompt(first, 0, 9))[0] for first in (1, 2, 3)] == [2, 0, 2]
    assert kept.currsize <= kept.maxsize
    kept.clear()
    assert kept.currsize == 0
    assert kept.longest(prompt(1, 0, 9))[0] == 0
