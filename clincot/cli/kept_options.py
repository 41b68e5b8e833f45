"""The options that a run was opened with -> a file in its folder, so that `--name RUN` alone means the same again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clincot.errors import DataError
from clincot.recipe.moved import new_name
from clincot.records.atomic import write_file

FILE = "options.json"


@dataclass(frozen=True)
class Kept:
    """What decides a run on the command line; `--public` is never kept: publishing is said each time."""

    recipe: str
    setting: str
    benchmark: str
    set: tuple[str, ...]
    hub: str
    namespace: str
    hardware: str = ""  # files of earlier versions have none

    def extends(self, other: Kept) -> bool:
        """Return whether these options are `other` with more overrides, Hub and namespace apart."""
        named = ("recipe", "setting", "benchmark", "hardware")
        same = all(getattr(self, name) == getattr(other, name) for name in named)
        return same and self.set[: len(other.set)] == other.set

    def beyond(self, other: Kept) -> tuple[str, ...]:
        """Return the overrides after those of `other`; a repetition of all of these says nothing new."""
        rest = self.set[len(other.set) :]
        while other.set and rest[: len(other.set)] == other.set:
            rest = rest[len(other.set) :]
        return rest


def read(folder: Path) -> Kept | None:
    """Return what the run in `folder` keeps, None where there is nothing. Raises DataError for a damaged file."""
    path = folder / FILE
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Kept(**{**values, "set": tuple(map(_with_new_name, values["set"]))})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path}: cannot be read ({error}). Delete it and give the run's options again.") from error


def _with_new_name(override: str) -> str:
    """Return an override that an earlier version kept under the name that its value has now."""
    path, equals, value = override.partition("=")
    return new_name(path.strip()) + equals + value


def write(folder: Path, kept: Kept) -> None:
    """Keep the options in `folder`, made when missing."""
    write_file(folder / FILE, json.dumps(vars(kept), indent=1))
