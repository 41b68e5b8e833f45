"""A result <-> a small JSON file: sums of terms by image, what a reader must know of it, and the key of its recipe.

The files are written to be committed: they hold no answer, no image and no name of an image.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from clincot.errors import DataError
from clincot.hub.names import name_fault
from clincot.records.atomic import write_file

VERSION = 1
TOLERANCE = 1e-6
NOTES: dict[str, type] = {"method": dict, "train": dict, "packages": dict, "models": list}
POLICIES = "policies"
Sums = Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]  # policy -> way of asking -> "LABEL/MEASURE" -> (images, k)


@dataclass(frozen=True)
class Facts:
    """What the columns of fairness show of one policy: sums over the rounds that made it.

    `gold` says where gold answers entered its training; `pairs` and `steps` are those that it was trained on; `texts`
    and `ratings` are what all models of its builds wrote and rated. `seen` are test images it was trained on.
    """

    gold: tuple[str, ...] = ()
    pairs: int = 0
    steps: int = 0
    texts: int = 0
    ratings: int = 0
    seen: int | None = 0


@dataclass(frozen=True)
class Stored:
    """One result: who made it of what, and the sums of every measure by image.

    `unit` and `seed` are those of its job, `key` that of its recipe, `code` that of the package's own code.
    `questions` is a key of what was asked; `images` are keys of the images, in the order of all sums; `counts` says how
    many questions a measure counted. `notes` are facts for the appendix (settings, packages, seconds).
    """

    unit: str
    seed: int
    key: str
    code: str
    setting: str
    benchmark: str
    split: str
    protocol: str
    questions: str
    images: tuple[str, ...]
    last: str
    sums: Sums
    counts: dict[str, int]
    facts: dict[str, Facts] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    origin: str = ""

    @property
    def name(self) -> str:
        return f"{self.unit}-s{self.seed}"

    def to_json(self) -> str:
        """Return the file's text: one line a measure, so that a commit shows what changed."""
        tree = asdict(self) | {"version": VERSION}
        measures = [
            f"  {json.dumps([policy, asked, name])[:-1]}, {json.dumps(_plain(sums), separators=(',', ':'))}]"
            for policy, ways in self.sums.items()
            for asked, found in ways.items()
            for name, sums in found.items()
        ]
        del tree["sums"]
        head = json.dumps(tree, ensure_ascii=False, indent=1, sort_keys=True)[:-2]
        return head + ',\n "sums": [\n' + ",\n".join(measures) + "\n ]\n}\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> Stored:
        """Read a file; raises DataError naming what it lacks."""
        try:
            tree = json.loads(text)
            version = tree.pop("version")
            if version != VERSION:
                raise DataError(
                    f"{where}: is of version {version}, not {VERSION}. Run the row again with this version."
                )
            sums: dict[str, dict[str, dict[str, np.ndarray]]] = {}
            for policy, asked, name, rows in tree.pop("sums"):
                sums.setdefault(policy, {}).setdefault(asked, {})[name] = _array(rows, len(tree["images"]))
            facts = {name: Facts(**(one | {"gold": tuple(one["gold"])})) for name, one in tree.pop("facts").items()}
            found = cls(**(tree | {"sums": sums, "facts": facts, "images": tuple(tree["images"])}))
            _check(found)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"{where}: is no result of a table ({error}). Give a file that `clincot table` wrote."
            ) from error
        return found


def path_of(folder: Path, world: str, name: str) -> Path:
    """Return where a result lies: its setting and benchmark are a folder."""
    return folder / world / f"{name}.json"


def read(path: Path) -> Stored:
    """Read a result. Raises DataError for a file that holds no result."""
    try:
        return Stored.from_json(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}). Give a file that `clincot table` wrote.") from error


def write(folder: Path, world: str, stored: Stored) -> Path:
    """Write a result to its place, whole or not at all."""
    return write_file(path_of(folder, world, stored.name), stored.to_json())


def same_questions(results: Iterable[Stored]) -> None:
    """Raise DataError where two results answer other questions: no table may have both."""
    first: Stored | None = None
    for one in results:
        first = first or one
        ours, theirs = ((r.benchmark, r.split, r.questions, r.images) for r in (first, one))
        if ours != theirs:
            raise DataError(
                f"{one.name}: answers other questions than {first.name} (benchmark, split, number of images or copy of"
                " the data). Give another --results folder, or make one of them again with --again."
            )


def _plain(sums: np.ndarray) -> list[list[float] | None]:
    return [None if math.isnan(row[0]) else [int(x) if x == int(x) else x for x in row] for row in sums.tolist()]


def _check(found: Stored) -> None:
    """Raise ValueError for what a file that was edited, or cut, says and no result can."""
    if found.last not in found.sums or found.last not in found.facts:
        raise ValueError(f"it has no sums or no facts of {found.last!r}, its last policy")
    if fault := name_fault(str(found.unit), ""):
        raise ValueError(f"unit {found.unit!r} is no name, it {fault}")
    numbers = {"seed": found.seed, **found.counts}
    numbers |= {what: found.notes.get(what, 0) for what in ("seconds", "cpu_seconds")}
    for policy, facts in found.facts.items():
        numbers |= {f"{what} of {policy}": getattr(facts, what) for what in ("pairs", "steps", "texts", "ratings")}
        numbers |= {} if facts.seen is None else {f"seen of {policy}": facts.seen}
    for what, number in numbers.items():
        if type(number) is not int or number < 0:
            raise ValueError(f"{what} is {number!r}, not a whole number from 0")
    for what, kind in NOTES.items():
        if not isinstance(found.notes.get(what, kind()), kind):
            raise ValueError(f"notes.{what} is no {kind.__name__}")


def _array(rows: list[list[float] | None], images: int) -> np.ndarray:
    if len(rows) != images:
        raise ValueError(f"{len(rows)} rows of sums for {images} images")
    width = next((len(row) for row in rows if row is not None), 1)
    found = np.array([[math.nan] * width if row is None else row for row in rows], dtype=float)
    if found.ndim != 2:
        raise ValueError("rows of sums of several lengths")
    known = found[~np.isnan(found).any(1)]
    if len(known) < sum(row is not None for row in rows) or not np.isfinite(known).all() or (known < 0).any():
        raise ValueError("sums that are no numbers from 0")
    if width == 2 and (known[:, 0] > known[:, 1] + TOLERANCE).any():
        raise ValueError("sums whose value is above 1")
    return found
