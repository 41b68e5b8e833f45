"""A file, or REPO[@REV][:PATH] -> the local files of rows, where their image paths begin, and the repository's pin."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from clincot.errors import DataError
from clincot.hub import Hub
from clincot.records.lineage import Pin
from clincot.rows.files import ENDINGS
from clincot.runs.checks.rows import check_source, named

TRAIN = "train"
NO_ROWS = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "lineage.json")


@dataclass(frozen=True)
class Found:
    """Files of rows in their order; `folder` is where relative image paths begin; `pin` None for a local file.

    Image paths must not leave `within`, links not `links`: a repository in the client's cache is links to its blobs.
    """

    files: tuple[Path, ...]
    folder: Path
    pin: Pin | None = None
    within: Path | None = None
    links: Path | None = None


def find_rows(hub: Hub, source: str) -> Found:
    """Return the files of `source`, those of a repository fetched at one commit. Raises DataError, NotOnHub."""
    check_source(source)
    path = Path(source).expanduser()
    if path.is_file():
        return Found((path,), path.parent)
    asked = named(source)
    pin = hub.resolve("dataset", asked.repo, asked.revision)
    names = _chosen(sorted(hub.list_files(pin)), asked.pattern, str(pin))
    folder = hub.snapshot(pin, names if all(name.endswith(".parquet") for name in names) else None)
    files = tuple(folder / name for name in names)
    return Found(files, files[0].parent, pin, within=folder, links=folder.parents[1])


def _chosen(names: list[str], pattern: str, where: str) -> list[str]:
    rows = [name for name in names if name.endswith(ENDINGS) and PurePosixPath(name).name not in NO_ROWS]
    found = [name for name in rows if fnmatch(name, pattern)] if pattern else rows
    train = [name for name in found if TRAIN in PurePosixPath(name).name]
    chosen = train if train and not pattern else found
    if not chosen:
        listed = ", ".join(rows[:8]) or "none"
        raise DataError(f"{where}: has no file of rows{f' like {pattern}' if pattern else ''}. It has: {listed}.")
    if len({PurePosixPath(name).parent for name in chosen}) > 1 or len(chosen) > 1 and not _shards(chosen):
        raise DataError(f"{where}: has several files of rows: {', '.join(chosen[:8])}. Name one: REPO:PATH.")
    return chosen


def _shards(names: list[str]) -> bool:
    return all(name.endswith(".parquet") and "-of-" in name for name in names)
