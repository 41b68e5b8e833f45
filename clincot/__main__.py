"""The command line's door: runs the app and turns mistakes into one message and an exit code."""

from __future__ import annotations

import errno
import signal
import sys
from types import FrameType


class Interrupted(BaseException):
    """Ctrl-C or a scheduler's SIGTERM; not a KeyboardInterrupt, so that no library turns it into something else."""


def main() -> None:
    """Run `clincot`. Exit codes: 0 done, 2 a mistake the message explains, 130 Ctrl-C, 143 SIGTERM."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    from clincot.cli import app
    from clincot.errors import ClincotError

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        app()
    except Interrupted as stop:
        number = signal.Signals(stop.args[0])
        _leave(
            f"Stopped by {number.name}. What was finished stays; run the same command again to continue.", 128 + number
        )
    except ClincotError as error:
        if debug:
            raise
        _leave(f"error: {error}", 2)
    except OSError as error:
        if debug or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        _leave(f"error: {error.filename or 'disk'}: {error.strerror}. Free space or permit writing, then run again.", 2)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted(number)


def _leave(message: str, code: int) -> None:
    print(message, file=sys.stderr, flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
