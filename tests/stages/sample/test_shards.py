"""Shards hold whole images, and their key tells any other cut."""

from __future__ import annotations

from clincot.records import Example
from clincot.stages.sample.shards import Totals, cut_shards, shards_key


def questions(*images: int) -> list[Example]:
    return [Example(f"q{n}", f"i{image}", b"", "?", "", "open", "", "other", "") for n, image in enumerate(images)]


def test_a_shard_holds_all_questions_of_its_images_wherever_they_stood() -> None:
    shards = cut_shards(questions(0, 1, 0, 2, 1, 3, 4), 2)
    assert [[example.id for example in shard] for shard in shards] == [["q0", "q2", "q1", "q4"], ["q3", "q5"], ["q6"]]


def test_the_key_tells_other_examples_and_other_cuts() -> None:
    examples = questions(0, 1, 2, 3)
    keys = {shards_key(cut_shards(some, n)) for some, n in ((examples, 1), (examples, 2), (examples[:3], 2))}
    assert len(keys) == 3 and shards_key(cut_shards(list(examples), 2)) in keys


def test_totals_of_no_shard_are_zero() -> None:
    facts = Totals().facts()
    assert facts["candidates"] == 0 and facts["memory_splits"] == 0
