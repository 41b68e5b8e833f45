"""The folder of a round's build -> which shards are finished, their checked contents, and whether this is their recipe.

    plan.json                          what is built: refused when the next command would build something else
    shards/00012/shard-00012345/         a finished shard, renamed into place: parts and shard.json with their checksums
    merged/                            the round's files

Progress is what is on disk, never a counter. No folder holds more than a thousand shards.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clincot.errors import DataError, DiskFull, RoundError
from clincot.records.atomic import new_folder, write_file
from clincot.records.lineage import content_key

REPORT, PLAN, SEAL = "shard.json", "plan.json", "sha256"
PER_FOLDER = 1000


class DamagedShard(Exception):
    """A shard on disk that is not what was written; it is made again."""


@dataclass
class Journal:
    """The journal in `folder`; its methods may be called by several processes at once."""

    folder: Path
    _full: dict[str, set[int]] = field(default_factory=dict, repr=False)

    def shard(self, number: int) -> Path:
        """Return the folder of a finished shard."""
        return self.folder / "shards" / f"{number // PER_FOLDER:05d}" / f"shard-{number:08d}"

    def open(self, plan: Mapping[str, Any]) -> None:
        """Write the plan, or compare it with the existing one. Raises RoundError with the difference, DiskFull."""
        path = self.folder / PLAN
        if path.exists():
            return _compare(self.folder, _plan_of(path), json.loads(json.dumps(plan)))
        write_file(path, json.dumps(plan, indent=1, sort_keys=True))

    def finished(self) -> set[int]:
        """Return the numbers of the finished shards, from listings of folders alone; full folders are read once."""
        found: set[int] = set()
        for group in _names(self.folder / "shards"):
            shards = self._full.get(group) or _numbers(self.folder / "shards" / group)
            if len(shards) == PER_FOLDER:
                self._full[group] = shards
            found |= shards
        return found

    def has(self, number: int) -> bool:
        return self.shard(number).is_dir()

    def put(self, number: int, write: Callable[[Path], None], report: Mapping[str, Any]) -> bool:
        """Let `write` fill a folder with parts, add the report and checksums, and rename it into place.

        Returns False when another process put the same shard first: its rows are the same.
        """
        final = self.shard(number)
        try:
            with new_folder(final, shared=True) as partial:
                write(partial)
                parts = {path.name: _seal(path.read_bytes()) for path in sorted(partial.iterdir())}
                sealed = {**report, "parts": parts}
                text = json.dumps({**sealed, SEAL: content_key(sealed)}, sort_keys=True)
                (partial / REPORT).write_text(text, encoding="utf-8")
        except (OSError, DiskFull):
            if self.has(number):
                return False
            raise
        return True

    def report(self, number: int) -> dict[str, Any]:
        """Return the shard's report. Raises DamagedShard when it is cut off or changed."""
        try:
            report: dict[str, Any] = json.loads((self.shard(number) / REPORT).read_bytes())
        except (FileNotFoundError, ValueError) as error:
            raise DamagedShard(f"{REPORT} cannot be read") from error
        if report.pop(SEAL, None) != content_key(report):
            raise DamagedShard(f"{REPORT} was changed")
        return report

    def part(self, number: int, name: str, report: Mapping[str, Any]) -> bytes | None:
        """Return the bytes of a part, None when the shard has no such part. Raises DamagedShard by its checksum."""
        if name not in report["parts"]:
            return None
        try:
            data = (self.shard(number) / name).read_bytes()
        except FileNotFoundError as error:
            raise DamagedShard(f"{name} is missing") from error
        if _seal(data) != report["parts"][name]:
            raise DamagedShard(f"{name} is not what was written")
        return data

    def damaged(self, numbers: Iterable[int]) -> dict[int, str]:
        """Read shards in full and return those that are not what was written, with what is wrong."""
        found = {}
        for number in numbers:
            try:
                report = self.report(number)
                for name in report["parts"]:
                    self.part(number, name, report)
            except DamagedShard as error:
                found[number] = str(error)
        return found

    def discard(self, number: int) -> None:
        """Take a damaged shard away."""
        shutil.rmtree(self.shard(number), ignore_errors=True)

    def clear(self) -> None:
        """Remove what killed processes left half written; called when all shards are finished."""
        for group in _names(self.folder / "shards"):
            for name in _names(self.folder / "shards" / group):
                if name.startswith("."):
                    shutil.rmtree(self.folder / "shards" / group / name, ignore_errors=True)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []


def _numbers(folder: Path) -> set[int]:
    return {int(name.removeprefix("shard-")) for name in _names(folder) if name.startswith("shard-")}


def _seal(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _plan_of(path: Path) -> dict[str, Any]:
    try:
        plan: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: cannot be read ({error}). Delete the folder {path.parent} to build again.") from error
    return plan


def _compare(folder: Path, existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    if existing == wanted:
        return
    lines = [f"  {name}: {change}" for name, change in changes(existing, wanted).items() if not name.endswith("_key")]
    differences = lines or ["  other examples, or models of other content"]
    raise RoundError(
        "\n".join((f"{folder}: holds an unfinished build of something else (there -> now):", *differences[:20]))
        + "\nGo back to the former values to finish it, give --name for a new run, or delete the folder."
    )


def changes(existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, str]:
    """Return what differs: dotted name -> `there -> now`, in the order of the names."""
    old, new = flat(existing), flat(wanted)
    return {
        name: f"{old.get(name, 'none')} -> {new.get(name, 'none')}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, its names dotted."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{prefix}{name}"
        found |= flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return found
