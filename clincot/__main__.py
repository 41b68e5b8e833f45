"""The command line's door: runs the app and turns mistakes into one message and an exit code."""

from __future__ import annotations

import errno
import signal
import sys
from types import FrameType


class Interrupted(BaseException):
    """Ctrl-C; not a KeyboardInterrupt, so that no library on the way turns it into something else."""


def main() -> None:
    """Run `clincot`. Exit codes: 0 done, 2 a mistake the message explains, 130 stopped by Ctrl-C."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    from clincot.cli import app
    from clincot.errors import ClincotError

    signal.signal(signal.SIGINT, _interrupt)
    try:
        app()
    except Interrupted:
        _leave("Stopped. What was finished stays; run the same command again to continue.", 130)
    except ClincotError as error:
        if debug:
            raise
        _leave(f"error: {error}", 2)
    except OSError as error:
        if debug or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        _leave(f"error: {error.filename or 'disk'}: {error.strerror}. Free space or permit writing, then run again.", 2)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted


def _leave(message: str, code: int) -> None:
    print(message, file=sys.stderr, flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
