"""A path that a row gives -> the file below the folder of the data; what leaves the folder is refused."""

from __future__ import annotations

from functools import lru_cache
from os.path import realpath
from pathlib import Path

from clincot.errors import DataError


def inside(top: Path, base: Path, name: str, where: str) -> Path:
    """Return `base`/`name`. Raises DataError for an absolute path, `..`, and a link that leads out of `top`."""
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise DataError(
            f"{where}: {name!r} leads out of the folder of the data. Give paths below it, without .. in them."
        )
    full = base / path
    leads_to = f"{_real(full.parent)}/{full.name}"
    if full.is_symlink():
        leads_to = realpath(full)
    if not f"{leads_to}/".startswith(f"{_real(top)}/"):
        raise DataError(f"{where}: {name!r} is a link out of the folder of the data. Copy the file into the folder.")
    return full


@lru_cache(10_000)
def _real(folder: Path) -> str:
    return realpath(folder)
