"""The folder of a round's build -> how many shards are finished, and the checksums of the merged files."""

from __future__ import annotations

import hashlib
from pathlib import Path


def shards(build: Path) -> int:
    return len([name for name in build.glob("shards/*/*") if not name.name.startswith(".")])


def sums(build: Path) -> dict[str, str]:
    names = ("pairs.parquet", "candidates.parquet", "regions.parquet")
    return {name: hashlib.sha256((build / "merged" / name).read_bytes()).hexdigest() for name in names}
