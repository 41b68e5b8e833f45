"""The name of a benchmark -> whether it names data of the user's own, and what they are called for others."""

from __future__ import annotations

import re
from pathlib import Path

from clincot.recipe.public_values import without_places

DECLARED = "clincot.yaml"  # in a folder of data: what its columns, terms and splits are
TABLES = (".jsonl", ".json", ".csv", ".parquet")
FILES = (".yaml", ".yml", *TABLES)
REPO = re.compile(r"[\w.-]+/[\w.-]+(@[^@\s]+)?")


def is_path(name: str) -> bool:
    """Return whether `name` is a folder, a file of rows or a file that declares data, on this machine.

    A folder has a / in its name: `cells` alone is the name of a benchmark, `./cells` and `cells/` are folders.
    """
    if not name or ":" in name:
        return False
    written = name.startswith((".", "/", "~")) or name.endswith(("/", *FILES))
    return written or ("/" in name and Path(name).is_dir())


def is_own(name: str) -> bool:
    """Return whether `name` is a path or OWNER/NAME[@REVISION] of a Hub dataset, and no name of a table or class."""
    return is_path(name) or bool(REPO.fullmatch(name))


def published(name: str) -> str:
    """Return the name for lineages, cards and stored recipes: `./NAME` for a path, which names no folder of a user.

    It is a path too, so that who has the data, or the file of a class, in the working directory reads it by this name.
    """
    return f"./{_last(name)}" if is_path(name) else str(without_places(name))


def short(name: str) -> str:
    """Return what a run's name says of its benchmark: a class without its file, data without folders and revision."""
    if not is_own(name):
        return name.rpartition(":")[2]
    last = _last(name) if is_path(name) else name.rpartition("/")[2].partition("@")[0]
    return re.sub(r"[^\w.-]+", "-", last).strip("-.") or "data"


def _last(name: str) -> str:
    path = Path(name).expanduser().absolute()
    path = path.parent if path.name == DECLARED else path
    return path.stem if path.suffix in FILES else path.resolve().name if path.name in ("", "..") else path.name
