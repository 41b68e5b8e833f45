"""Files of another project's preference rows -> a parquet file of pairs with their images, and what was counted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from clincot.errors import DataError
from clincot.rows import schema
from clincot.rows.files import records
from clincot.rows.formats.base import Format, OtherPair, UnfitRow
from clincot.stages.exchange.columns import check_columns, check_first, unread
from clincot.stages.exchange.images import Images
from clincot.stages.exchange.report import Report
from clincot.stages.exchange.rules import NO_MARGIN, NOT_GOLD, OWN_MARGIN, UNKNOWN, Rules, question_of

METHOD = "imported"  # the `method` of rows, lineage and card
BATCH = 1000  # rows


@dataclass(frozen=True)
class ImportJob:
    """What is imported: `files` in `form`, whose image paths begin in `images`; `path` is the file to write.

    `within` and `links` are what they must not leave (None: `images`), see `Images`.
    `margin` is `none`, `column` (that of each row) or one number for all, in nats. `keep` are rules of KEEPABLE by
    which nothing is left out. `most_broken` is the largest share of rows that may be no pairs.
    """

    files: tuple[Path, ...]
    form: Format
    images: Path
    path: Path
    round: int = 1
    margin: str = NO_MARGIN
    rules: Rules = Rules(leaks=False)
    keep: frozenset[str] = frozenset()
    most_broken: float = 0.01
    within: Path | None = None
    links: Path | None = None


@dataclass(frozen=True)
class ImportOutcome:
    """`digest` is a sha256 of the rows and the content of their images; `report` holds what was counted."""

    digest: str
    report: Report
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class _Kept:
    number: int
    pair: OtherPair  # its images are content ids


def import_rows(job: ImportJob) -> ImportOutcome:
    """Read, check and filter the rows, and write those that are left.

    Raises DataError for files that are not in the format, for too many rows that are no pairs, when no row is left, and
    for an image by URL or outside of the folder.
    """
    report, images = Report(), Images(job.images, job.within, job.links)
    kept = list(_kept(job, report, images))
    report.check(", ".join(file.name for file in job.files), job.most_broken)
    kept = _by_image(kept)
    digest = hashlib.sha256()
    schema.write_parquet(_tables(job, kept, images, digest), job.path, schema.PAIR_FEATURES)
    return ImportOutcome(digest.hexdigest(), report, _facts(job, kept, images, report))


def _kept(job: ImportJob, report: Report, images: Images) -> Iterator[_Kept]:
    number = 0
    for file in job.files:
        for place, row in records(file):
            number += 1
            report.read += 1
            where = f"{file.name}, row {place}"
            try:
                if row is None:
                    raise UnfitRow("that are no JSON object")
                pair = _pair(job, report, row, images, first=report.read == 1, where=where)
            except UnfitRow as error:
                report.unfit(error, where)
            except DataError as error:
                raise DataError(f"{where}: {error}") from error
            else:
                if pair is not None:
                    yield _Kept(number, pair)


def _pair(
    job: ImportJob, report: Report, row: Mapping[str, Any], images: Images, *, first: bool, where: str
) -> OtherPair | None:
    """Return the pair of a row with its images kept; None where a rule leaves it out, which is counted."""
    given = {name: value for name, value in row.items() if value is not None}
    if first:
        check_first(given, job.form)
    check_columns(given, job.form)
    report.unread |= unread(given, job.form)
    pair = job.form.read(given)
    broken = job.rules.broken(pair, _name(pair))
    report.count(pair, broken)
    counted = [rule for rule in broken if rule not in job.keep and rule != UNKNOWN]
    if counted:
        report.drop(counted[0])
        return None
    sides = (pair.images, pair.chosen_images, pair.rejected_images)
    shared, chosen, rejected = (tuple(images.keep(one) for one in side) for side in sides)
    return replace(pair, images=shared, chosen_images=chosen, rejected_images=rejected)


def _name(pair: OtherPair) -> str | None:
    image = next(iter((*pair.images, *pair.chosen_images)), None)
    name = image.get("path") if isinstance(image, Mapping) else image
    return name if isinstance(name, str) else None


def _by_image(kept: list[_Kept]) -> list[_Kept]:
    """Return the rows with those of one image together, so that a file stores it once."""
    order: dict[tuple[str, ...], int] = {}
    for one in kept:
        order.setdefault(one.pair.images[:1], len(order))
    return sorted(kept, key=lambda one: order[one.pair.images[:1]])


def _tables(job: ImportJob, kept: list[_Kept], images: Images, digest: Any) -> Iterator[pa.Table]:
    for some in _batches(kept, images):
        rows = [_row(job, one) for one in some]
        for row in rows:
            digest.update(json.dumps(row, sort_keys=True, ensure_ascii=False).encode())
        yield schema.table([_with_images(row, images) for row in rows], schema.PAIR_FEATURES)


def _batches(kept: list[_Kept], images: Images) -> Iterator[list[_Kept]]:
    """Yield the rows in tables; each costs 0.1 s, and memory holds the images of one."""
    some: list[_Kept] = []
    size = 0
    for one in kept:
        pair = one.pair
        size += sum(images.size(id_) for id_ in (*pair.images, *pair.chosen_images, *pair.rejected_images))
        some.append(one)
        if len(some) == BATCH or size >= schema.ROW_GROUP_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _row(job: ImportJob, kept: _Kept) -> dict[str, Any]:
    pair, example = kept.pair, f"row-{kept.number}"
    margin = _margin(job.margin, pair)
    row = dict.fromkeys(schema.PAIR_FEATURES)
    return row | {
        "id": f"{example}/1/0",
        "example_id": example,
        "round": job.round,
        "step": 1,
        "method": METHOD,
        "prompt": [dict(turn) for turn in pair.prompt],
        "images": list(pair.images),
        "side_images": [*pair.chosen_images, *pair.rejected_images],
        "chosen": pair.chosen,
        "rejected": pair.rejected,
        # A margin is a difference of scores (`linear`, scale 1): no other project says what the scores were.
        "chosen_score": margin,
        "rejected_score": None if margin is None else 0.0,
        "weight": 1.0 if pair.weight is None else pair.weight,
        "group": f"{example}/1",
        "chosen_candidate": "",
        "rejected_candidate": "",
        "chosen_images_count": len(pair.chosen_images),
        "rejected_images_count": len(pair.rejected_images),
    }


def _with_images(row: dict[str, Any], images: Images) -> dict[str, Any]:
    return row | {name: [images.struct(id_) for id_ in row[name]] for name in schema.IMAGE_COLUMNS}


def _margin(margin: str, pair: OtherPair) -> float | None:
    if margin == NO_MARGIN:
        return None
    return (pair.margin or 0.0) if margin == OWN_MARGIN else float(margin)


def _facts(job: ImportJob, kept: list[_Kept], images: Images, report: Report) -> dict[str, Any]:
    pairs = [one.pair for one in kept]
    broken, gold = report.broken, {}
    if job.rules.gold is not None:
        other, unknown = broken[NOT_GOLD], broken[UNKNOWN]
        gold = {"chosen_and_gold": {"equal": report.pairs - other - unknown, "other": other, "unknown": unknown}}
    used = {id_ for pair in pairs for id_ in (*pair.images, *pair.chosen_images, *pair.rejected_images)}
    return {
        "pairs": len(pairs),
        "questions": len({(pair.images, question_of(pair)) for pair in pairs}),
        "images": len(used),
        **report.facts(),
        **gold,
        "mean_words_chosen": _mean(pair.chosen for pair in pairs),
        "mean_words_rejected": _mean(pair.rejected for pair in pairs),
        "weights": _histogram(pairs),
        "distinct_image_bytes": sum(images.size(id_) for id_ in used),
        "images_without_notes": images.without_notes,
        "size_bytes": job.path.stat().st_size,
    }


def _mean(texts: Iterator[str]) -> float:
    counts = [len(text.split()) for text in texts]
    return round(sum(counts) / max(1, len(counts)), 2)


def _histogram(pairs: list[OtherPair]) -> dict[str, int]:
    """Return how many pairs have which weight, to two digits; empty where all are 1."""
    found: dict[str, int] = {}
    for weight in sorted(1.0 if pair.weight is None else pair.weight for pair in pairs):
        name = f"{weight:.2g}"
        found[name] = found.get(name, 0) + 1
    return {} if set(found) <= {"1"} else found
