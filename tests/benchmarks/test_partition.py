"""Rounds share no image, lose none, and do not depend on the order of the examples."""

from __future__ import annotations

from clincot.benchmarks.partition import limit, part_of_round
from clincot.records import Example

EXAMPLES = [
    Example(f"q{i}-{j}", f"image-{i}", b"", "?", "", "open", "", "other", "")
    for i in range(23)
    for j in range(i % 4 + 1)
]


def test_rounds_are_disjoint_by_image_and_cover_everything() -> None:
    parts = [part_of_round(EXAMPLES, seed=0, rounds=4, round_=r) for r in (1, 2, 3, 4)]
    images = [{e.image_id for e in part} for part in parts]
    assert sum(map(len, images)) == 23 and len(set.union(*images)) == 23
    assert sum(map(len, parts)) == len(EXAMPLES)
    assert {len(names) for names in images} == {5, 6}


def test_the_partition_is_one_of_images_not_of_their_order() -> None:
    there = {e.id for e in part_of_round(EXAMPLES, seed=0, rounds=3, round_=2)}
    assert {e.id for e in part_of_round(EXAMPLES[::-1], seed=0, rounds=3, round_=2)} == there
    assert {e.id for e in part_of_round(EXAMPLES, seed=1, rounds=3, round_=2)} != there


def test_limits_keep_whole_images_and_the_same_questions_of_each() -> None:
    few = limit(EXAMPLES, max_images=5, max_questions=2)
    assert {e.image_id for e in few} == {f"image-{i}" for i in range(5)}
    assert max(sum(e.image_id == name for e in few) for name in {e.image_id for e in few}) == 2
    assert limit(EXAMPLES, max_images=0) == tuple(EXAMPLES)
