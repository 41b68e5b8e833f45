"""Rows of any copy of IU-Xray (id, findings) -> the studies of R2Gen's split that they are.

The split (2,069 / 296 / 590 studies; Chen et al. 2020) is shipped as ids in R2Gen's order with hashes of their
findings: no text of the collection, whose licence forbids derivatives. Rows are matched by id where the copy has ids,
else by text. 133 texts are shared by several studies; without ids only their split distinguishes such rows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from clincot.errors import DataError

TABLE = Path(__file__).with_name("iu_xray_studies.json")
SPLITS = ("train", "validation", "test")
NAMED = re.compile(r"CXR(\d+)")  # in an id, a file name or a path of the collection
NUMBER = re.compile(r"\s*(\d+)(?:\.0)?\s*")
SHOWN = 5  # ids in an error


@dataclass(frozen=True)
class Study:
    """A study of R2Gen; `number` is that of its report, unique in the collection, `text_hash` is of its findings."""

    id: str
    split: str
    text_hash: str

    @property
    def number(self) -> int:
        return int(self.id[3:].partition("_")[0])


@dataclass(frozen=True)
class Row:
    """A row of a copy; `id` is None where the copy has none, `split` is the copy's own name for its part."""

    id: str | None
    text: str
    split: str


@dataclass
class Found:
    """Study id -> its rows, in the order of the copy; and what was found otherwise.

    `by_text` and `by_count` count studies without ids; `differing` studies have other findings in the copy, `shared`
    rows have a text of several studies and no id, `outside` rows are of no study of the split.
    """

    rows: dict[str, list[int]] = field(default_factory=dict)
    by_text: int = 0
    by_count: int = 0
    differing: set[str] = field(default_factory=set)
    shared: int = 0
    outside: int = 0


def text_hash(text: str) -> str:
    """Return 12 hex digits of a report's words, blind to case, punctuation and spacing."""
    return hashlib.sha256(" ".join(re.findall(r"[a-z0-9]+", text.lower())).encode()).hexdigest()[:12]


@cache
def studies() -> tuple[Study, ...]:
    """Return the 2,955 studies in R2Gen's order, split after split."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return tuple(Study(id, split, key) for split in SPLITS for id, key in table[split].items())


def of_split(split: str) -> tuple[Study, ...]:
    """Return the studies of train, validation or test."""
    return tuple(study for study in studies() if study.split == split)


def match(rows: Sequence[Row]) -> Found:
    """Match every row; a study may have several rows, one a view, which are put in the order of their ids."""
    found, nameless = Found(), []
    by_number = {study.number: study for study in studies()}
    for i, row in enumerate(rows):
        number = _number(row.id)
        if number is None:
            nameless.append(i)
        elif number not in by_number:
            found.outside += 1
        elif text_hash(row.text) != by_number[number].text_hash:
            found.differing.add(by_number[number].id)
        else:
            found.rows.setdefault(by_number[number].id, []).append(i)
    for views in found.rows.values():
        views.sort(key=lambda i: rows[i].id or "")
    found.differing -= found.rows.keys()
    _match_texts(rows, nameless, found)
    return found


def _number(id: str | None) -> int | None:
    """Return the number of the report that an id names: 2384 for CXR2384_IM-0942, its files and the uid 2384."""
    named = NAMED.search(id or "") or NUMBER.fullmatch(id or "")
    return int(named[1]) if named else None


def _match_texts(rows: Sequence[Row], nameless: Sequence[int], found: Found) -> None:
    wanted: dict[str, list[Study]] = defaultdict(list)
    for study in studies():
        if study.id not in found.rows:
            wanted[study.text_hash].append(study)
    same: dict[str, list[int]] = defaultdict(list)
    for i in nameless:
        same[text_hash(rows[i].text)].append(i)
    for key, indices in same.items():
        candidates = wanted.get(key, [])
        if not candidates:
            found.outside += len(indices)
        elif len(candidates) == len(indices) == 1:
            found.rows[candidates[0].id] = indices
            found.by_text += 1
        else:
            _match_counts(rows, indices, candidates, found)


def _match_counts(rows: Sequence[Row], indices: Sequence[int], candidates: Sequence[Study], found: Found) -> None:
    """Give rows of one text to its studies in order, where each split has as many of them in the copy as in R2Gen.

    Within a split the exchange of two such studies changes which image belongs to the same reference; across
    splits it would put an image of train into test, so that is never done.
    """
    ours, theirs = defaultdict(list), defaultdict(list)
    for study in candidates:
        ours[study.split].append(study.id)
    for i in indices:
        theirs[rows[i].split if len(ours) > 1 else candidates[0].split].append(i)
    if {s: len(ids) for s, ids in ours.items()} != {s: len(few) for s, few in theirs.items()}:
        found.shared += len(indices)
        return
    for split, ids in ours.items():
        found.rows |= {id: [i] for id, i in zip(ids, theirs[split], strict=True)}
        found.by_count += len(ids)


def complete(found: Found, split: str, where: str) -> list[Study]:
    """Return the studies of `split`; raises DataError, with counts, when the copy lacks any."""
    asked = of_split(split)
    missing = [study.id for study in asked if study.id not in found.rows]
    if not missing:
        return list(asked)
    named = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
    differing = sum(study.id in found.differing for study in asked)
    raise DataError(
        f"{where}: holds {len(asked) - len(missing):,} of the {len(asked):,} studies of R2Gen's {split} split (missing:"
        f" {named}; {differing} of them with other findings, {found.shared} rows without ids share their text with"
        f" several studies, {found.outside} rows are of no study of R2Gen). A part of the split gives no comparable"
        " result: import a complete copy with `clincot benchmarks import iu-xray FOLDER --hub local:PATH`."
    )
