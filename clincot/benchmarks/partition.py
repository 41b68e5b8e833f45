"""Examples -> the disjoint part that a round may use, cut by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clincot.records import Example
from clincot.records.lineage import content_key


def part_of_round(examples: Sequence[Example], *, seed: int, rounds: int, round_: int) -> tuple[Example, ...]:
    """Return the examples of round `round_` of `rounds`: images shuffled by `seed`, dealt in turn.

    Images that examples show together count as one.
    """
    first = joined([example.image_ids for example in examples])
    names = sorted(set(first.values()), key=lambda name: content_key(seed, name))
    mine = set(names[round_ - 1 :: rounds])
    return tuple(example for example in examples if first[example.image_id] in mine)


def limit(examples: Sequence[Example], *, max_images: int, max_questions: int = 0) -> tuple[Example, ...]:
    """Keep the first `max_images` images and, of each, `max_questions` questions picked by hash; 0 keeps all."""
    by_image: dict[str, list[Example]] = {}
    for example in examples:
        by_image.setdefault(example.image_id, []).append(example)
    kept: set[str] = set()
    for questions in list(by_image.values())[: max_images or None]:
        ranked = sorted(questions, key=lambda example: content_key(example.id))
        kept |= {example.id for example in ranked[: max_questions or None]}
    return tuple(example for example in examples if example.id in kept)


def joined(images: Sequence[tuple[str, ...]]) -> Mapping[str, str]:
    """Return image -> the first, by name, of all images that rows connect with it."""
    parent: dict[str, str] = {}

    def top(id_: str) -> str:
        parent.setdefault(id_, id_)
        while parent[id_] != id_:
            parent[id_] = parent[parent[id_]]
            id_ = parent[id_]
        return id_

    for ids in images:
        for id_ in ids:
            one, other = sorted((top(ids[0]), top(id_)))
            parent[other] = one
    return {id_: top(id_) for id_ in parent}
