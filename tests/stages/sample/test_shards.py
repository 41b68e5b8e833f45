"""Shards hold whole images, and their key tells any other cut."""

from __future__ import annotations

from dataclasses import dataclass

from clincot.engines.base import Abilities
from clincot.records import Example
from clincot.stages.sample.serving import Models
from clincot.stages.sample.shards import Totals, abilities_of, cut_shards, shard_report, shards_key
from clincot.stages.sample.workbench import ShardResult


@dataclass(frozen=True)
class Tried:
    """An engine of which it is known what it can do."""

    abilities: Abilities


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


def test_totals_have_what_was_found_of_the_models_where_a_shard_says_it() -> None:
    models = Models(Tried(Abilities(2, shared=False, reason="so asked")))  # type: ignore[arg-type]
    old = shard_report(ShardResult((), (), {}, ()), [], {})
    totals = Totals()
    totals.add(old)
    assert totals.facts()["abilities"] == {}
    totals.add(old | {"abilities": abilities_of(models)})
    expected = {"images": 2, "shared": False, "reason": "so asked", "window": 0}
    assert totals.facts()["abilities"] == {"policy": expected}
    assert abilities_of(Models(None)) == {}
