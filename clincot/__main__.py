"""The command line's entry: runs the app and turns what ends it into one message and an exit code."""

from __future__ import annotations

import errno
import signal
import sys
import traceback
from types import FrameType

FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)


class Interrupted(BaseException):
    """Ctrl-C or a scheduler's SIGTERM; not a KeyboardInterrupt, so that no library turns it into something else."""


def main() -> None:
    """Run `clincot`. Exit codes: 0 done, 1 a fault in the program (`doctor`: no memory for a stage), 2 a mistake the
    message explains, 130 Ctrl-C, 143 SIGTERM. `--debug` shows the traceback before the message, and what the libraries
    have to say; `--quiet` shows an error alone, `--log-file FILE` adds all lines for a person to a file.
    """
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    from clincot.cli.chatter import hush
    from clincot.cli.messages import messages, taken
    from clincot.errors import ClincotError

    if not debug:
        hush()
    try:
        rest, quiet, log = taken(sys.argv[1:])
        sys.argv = [*sys.argv[:1], *rest]
        with messages(quiet, log, rest):
            _run(debug)
    except ClincotError as error:
        _leave(f"error: {error}", 2)


def _run(debug: bool) -> None:
    from clincot.cli import app
    from clincot.errors import ClincotError

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        code = app(prog_name="clincot", standalone_mode=False)
    except Interrupted as stop:
        number = signal.Signals(stop.args[0])
        _leave(
            f"Stopped by {number.name}. What was finished stays; run the same command again to continue.", 128 + number
        )
    except Exception as error:
        if debug:
            traceback.print_exc()
        if isinstance(error, ClincotError):
            _leave(f"error: {error}", 2)
        _leave_with(error, debug)
    sys.exit(code if isinstance(code, int) else 0)


def _leave_with(error: Exception, debug: bool) -> None:
    """Leave with what the command line's parser, the operating system or a bug raised."""
    from typer import Abort, TyperException

    if isinstance(error, Abort):
        _leave("Aborted.", 1)
    if isinstance(error, TyperException):
        _leave_usage(error)
    line = " ".join(str(error).split())[:300]
    if isinstance(error, OSError) and error.errno is not None:
        _leave(f"error: {error.filename or 'this machine'}: {error.strerror or line}. {_advice(error.errno)}", 2)
    where = "" if debug else " Run again with --debug to see where."
    _leave(f"clincot: unexpected error {type(error).__name__}: {line}.{where}", 1)


def _leave_usage(error: Exception) -> None:
    """Leave with an unknown command or option, or a value that its option cannot take; a page of help stays one."""
    message = str(getattr(error, "format_message", lambda: error)())
    if "\n" in message.strip():
        _leave(message, 2)
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "clincot"
    end = "" if message.endswith((".", "?")) else "."
    takes_recipe = context and any(parameter.name == "recipe" for parameter in context.command.params)
    if takes_recipe and message.startswith("Got unexpected extra argument"):
        end += " A recipe is named with --recipe."
    _leave(f"error: {command}: {message}{end} See `{command} --help`.", getattr(error, "exit_code", 2))


def _advice(number: int) -> str:
    if number in FULL:
        return "Free space, then run again."
    if number in CLOSED:
        return "Permit it, or give another place, then run again."
    return "Check the path or address, then run again."


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted(number)


def _leave(message: str, code: int) -> None:
    from clincot.cli.messages import Messages

    if isinstance(sys.stderr, Messages):
        sys.stderr.always(message)
    else:
        print(message, file=sys.stderr, flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
