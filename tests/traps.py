"""A pickle that does something when it is loaded: what must never happen to weights of other people."""

from __future__ import annotations

from pathlib import Path


class Trap:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)
