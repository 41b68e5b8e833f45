"""A target Hub -> what is asked of it; it is connected at the first question, and left alone once it did not answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from clincot.errors import HubError
from clincot.hub import Hub, connect

Found = TypeVar("Found")


class Reach:
    """A Hub that is connected when a model is first asked for; once it did not answer, nobody asks it again."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._hub: Hub | None = None
        self._failed = ""

    def __call__(self, use: Callable[[Hub], Found]) -> Found:
        """Return what `use` finds on the Hub. Raises HubError where it does not answer."""
        if self._failed:
            raise HubError(self._failed)
        try:
            if self._hub is None:
                self._hub = self._connect()
            return use(self._hub)
        except HubError as error:
            if self._hub is None or not str(error).startswith(f"{self.target}: no "):
                self._failed = str(error)
            raise

    def close(self) -> None:
        """Stop a Hub that was connected."""
        if self._hub is not None:
            self._hub.close()

    def _connect(self) -> Hub:
        scheme, _, path = self.target.partition(":")
        if scheme == "local" and not Path(path).expanduser().is_dir():
            raise HubError(f"{self.target}: there is no such folder yet.")  # `connect` would make it
        return connect(self.target)


def one_line(error: Exception) -> str:
    """Return what an error says, for a cell of a table."""
    return " ".join(str(error).split())
