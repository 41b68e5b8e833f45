"""`--quiet` and `--log-file FILE`, with any command -> where lines for a person go: stderr, a file, both or neither."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import TextIOBase
from pathlib import Path
from typing import TextIO

from clincot.errors import ClincotError

QUIET, LOG = "--quiet", "--log-file"


class Messages(TextIOBase):
    """A stderr that may be silent and may be copied to a file; it is no terminal, so that bars are plain lines."""

    def __init__(self, terminal: TextIO, log: TextIO | None, *, quiet: bool) -> None:
        self.terminal, self.log, self.quiet = terminal, log, quiet

    def write(self, text: str) -> int:
        if not self.quiet:
            self.terminal.write(text)
        if self.log is not None:
            self.log.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in (self.terminal, self.log):
            if stream is not None and not stream.closed:
                stream.flush()

    def fileno(self) -> int:
        return self.terminal.fileno()

    def always(self, message: str) -> None:
        """Write what ends the command: an error is shown with `--quiet` too."""
        print(message, file=self.terminal, flush=True)
        if self.log is not None:
            print(message, file=self.log, flush=True)


def taken(words: Sequence[str]) -> tuple[list[str], bool, str]:
    """Return the words without the two options, whether to be quiet, and the file. Raises ClincotError for no file."""
    rest: list[str] = []
    quiet, log = False, ""
    left = iter(words)
    for word in left:
        if word == QUIET:
            quiet = True
        elif word == LOG or word.startswith(f"{LOG}="):
            log = word.partition("=")[2] if "=" in word else next(left, "")
            if not log or log.startswith("-"):
                raise ClincotError(f"{LOG}: names no file. Give one: {LOG} run.log.")
        else:
            rest.append(word)
    return rest, quiet, log


@contextmanager
def messages(quiet: bool, log: str, words: Sequence[str]) -> Iterator[None]:
    """Send what is written to stderr there; lines are added to a file that exists, after the command and its time."""
    if not quiet and not log:
        yield
        return
    kept, file = sys.stderr, _opened(log) if log else None
    if file is not None:
        file.write(f"{datetime.now().astimezone().isoformat(timespec='seconds')} clincot {' '.join(words)}\n")
    sys.stderr = Messages(kept, file, quiet=quiet)  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stderr = kept
        if file is not None:
            file.close()


def _opened(log: str) -> TextIO:
    try:
        return Path(log).expanduser().open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise ClincotError(f"{LOG} {log}: cannot be written ({error.strerror}). Give another file.") from error
