"""The installed package -> a key of the code that decides numbers, so that a result says which code made it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import clincot

DECIDING = (
    "benchmarks",
    "chain",
    "editors",
    "engines",
    "images",
    "judges",
    "lm",
    "methods",
    "metrics",
    "objectives",
    "protocols",
    "regions",
    "rows",
    "stages",
)
DIGITS = 12


@cache
def code_key() -> str:
    """Return a key of every source file of the folders that decide a number; a comment changes it too."""
    root = Path(clincot.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for name in DECIDING for path in (root / name).rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\n" + path.read_bytes())
    return digest.hexdigest()[:DIGITS]
