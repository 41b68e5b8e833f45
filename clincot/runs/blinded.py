"""The pairs of a round, or the answers of two rows of results -> a blinded sheet for readers, and its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clincot.benchmarks.base import Source
from clincot.errors import DataError
from clincot.records import Example
from clincot.records.atomic import write_file
from clincot.report.blinded.items import Item, Scores, chosen_items, key_of, write_key
from clincot.report.blinded.sheet import sheet_page
from clincot.report.view.entries import Around, Row, question_of
from clincot.runs.checks.places import privacy_of
from clincot.runs.evaluation.compare import compare_rows
from clincot.runs.redistribution.redacted import read_rows
from clincot.runs.rounds.viewed_source import ViewedSource, find_source
from clincot.runs.run import Run
from clincot.stages.evaluate.changes import right

CONSENSUS = "consensus"
ANSWER = "reference answer"  # the rater whose score is 1 for an answer that equals it
SIDES = ("chosen", "rejected")
WithImages = Callable[[Sequence[Item]], list[Item]]


@dataclass(frozen=True)
class Offered:
    """What a sheet is drawn from: items without images, who their sides are, and what adds the images of a few.

    `alike` items have two equal answers and cannot be compared; `sealed`: images must stay on this machine.
    """

    items: Sequence[Item]
    source: str
    sides: tuple[str, str]
    with_images: WithImages
    alike: int
    sealed: bool


@dataclass(frozen=True)
class Sheet:
    """The files that were written, the number of items, and how many had equal answers and were left out."""

    page: Path
    key: Path
    items: int
    alike: int
    sealed: bool


def write_sheet(offered: Offered, out: Path, *, count: int, seed: int, reference: bool = False) -> Sheet:
    """Write `out` (HTML, for readers) and its key next to it; `reference` shows the reference answer to readers.

    Raises DataError when there is nothing to compare.
    """
    if not offered.items:
        raise DataError(f"{offered.source}: has no question with two different answers. Name another round or policy.")
    items = offered.with_images(chosen_items(offered.items, count, seed))
    if not reference:
        items = [replace(item, reference=None) for item in items]
    key, key_file = key_of(items, offered.source, offered.sides, seed), out.with_suffix(".key.json")
    write_file(out, sheet_page(items, key, sealed=offered.sealed))
    write_key(key, key_file)
    return Sheet(out, key_file, len(items), offered.alike, offered.sealed)


def of_round(run: Run, name: str) -> Offered:
    """Return the pairs of a round, REPO@REV or a folder; raises what `find_source` raises."""
    source = find_source(run, name)
    around = source.around()
    rows = [row for path in source.pairs for row in read_rows(path, images=False)]
    items = [_of_pair(row, around) for row in rows if _differ(row["chosen"], row["rejected"])]
    label = f"{source.name} {source.data or ''}".strip()
    return Offered(items, label, SIDES, _images_of(source), len(rows) - len(items), source.sealed)


def of_answers(run: Run, first: str, second: str) -> Offered:
    """Return the questions that two rows of results answer differently; raises what `compare_rows` raises."""
    compared = compare_rows(run, first, second, ())
    items = []
    for change in compared.changed:
        example, texts = compared.examples[change.example_id], (change.first, change.second)
        marks = (right(example, change.first), right(example, change.second))
        judges: dict[str, Scores] = {} if None in marks else {ANSWER: (float(marks[0] or 0), float(marks[1] or 0))}
        items.append(Item(example.id, example.image_id, example.question, (), texts, judges, example.answer))
    sides = (compared.first.name, compared.second.name)
    source = run.benchmark(compared.first.benchmark).source
    alike = len(compared.examples) - len(items)
    return Offered(items, " against ".join(sides), sides, _images_in(compared.examples), alike, _sealed(source))


def _sealed(source: Source) -> bool:
    return not source.redistributable or privacy_of(source) == "restricted"


def _differ(one: str, other: str) -> bool:
    return " ".join(one.split()) != " ".join(other.split())


def _of_pair(row: Row, around: Around) -> Item:
    example = around.examples.get(row["example_id"])
    offered = {one["id"]: one for one in around.candidates.get(row.get("group") or "", ())}
    both = [offered.get(row.get(f"{side}_candidate") or "") for side in SIDES]
    judges: dict[str, Scores] = {CONSENSUS: (row.get("chosen_score"), row.get("rejected_score"))}
    if all(both):
        judges = {**_judged(*(one or {} for one in both)), **judges}
    return Item(
        row["id"],
        example.image_id if example else str(row["example_id"]).rpartition("-")[0],
        example.question if example else question_of(row),
        (),
        (row["chosen"], row["rejected"]),
        judges,
        example.answer if example else None,
    )


def _judged(chosen: Row, rejected: Row) -> dict[str, Scores]:
    """Return each judge's own and look-ahead score of both candidates, as one number."""
    first, second = ({s["judge"]: s["total"] for s in one["judge_scores"] or ()} for one in (chosen, rejected))
    return {name: (first[name], second.get(name)) for name in first}


def _images_of(source: ViewedSource) -> WithImages:
    """Return what adds the shared images of pairs, or the chosen side's where they share none."""

    def add(items: Sequence[Item]) -> list[Item]:
        wanted = {item.id for item in items}
        found = {row["id"]: _encoded(row) for row in source.rows() if row["id"] in wanted}
        return [replace(item, images=found[item.id]) for item in items]

    return add


def _encoded(row: Mapping[str, Any]) -> tuple[bytes, ...]:
    shared = row.get("images") or (row.get("side_images") or ())[: row.get("chosen_images_count") or 1]
    return tuple(image["bytes"] for image in shared if image and image.get("bytes"))


def _images_in(examples: Mapping[str, Example]) -> WithImages:
    def images(example: Example) -> Iterator[bytes]:
        return (example.encoded(number) for number in range(len(example.image_ids)))

    def add(items: Sequence[Item]) -> list[Item]:
        return [replace(item, images=tuple(images(examples[item.id]))) for item in items]

    return add
