"""A folder -> the embedded Hub that this process serves over it, shared, and stopped with its last user."""

from __future__ import annotations

import atexit
import errno
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from clincot.errors import ClincotError, DiskFull, HubError

if TYPE_CHECKING:
    from clincot.localhub import LocalHub

_guard = threading.Lock()
# Folder -> its server and how many connections of this process use it.
_running: dict[Path, tuple[LocalHub, int]] = {}


def start(path: Path) -> tuple[LocalHub, Callable[[], None]]:
    """Return the server of a resolved folder and the function that gives it back; HubError when it cannot run."""
    with _guard:
        if path in _running:
            server, users = _running[path]
        else:
            server, users = _serve(path), 0
        _running[path] = (server, users + 1)
    return server, lambda: _leave(path)


def _serve(path: Path) -> LocalHub:
    from clincot.localhub import LocalHub

    try:
        return LocalHub(path).start()
    except (OSError, RuntimeError, ValueError) as error:
        raise cannot_start(path, error) from error


def cannot_start(path: Path, error: Exception) -> ClincotError:
    """Return the message for a user whose Hub over `path` did not start."""
    number = getattr(error, "errno", None)
    where = f"local:{path}"
    if number in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(f"{where}: no room left on its disk. Free space and run the same command again.")
    if number == errno.EADDRINUSE:
        return HubError(f"{where}: the port is in use by another program. Stop that program, or give another --port.")
    if number in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return HubError(f"{where}: no permission to write there. Give another folder with --hub, or change its owner.")
    if number in {errno.ENOTDIR, errno.EEXIST}:
        return HubError(f"{where}: a file is in the way. Give a folder: --hub local:PATH.")
    return HubError(f"{where}: cannot be served ({error}). Correct that, or give another folder with --hub.")


def _leave(path: Path) -> None:
    with _guard:
        if path not in _running:  # stopped at exit already
            return
        server, users = _running.pop(path)
        if users > 1:
            _running[path] = (server, users - 1)
        else:
            server.stop()


@atexit.register
def _stop_all() -> None:
    with _guard:
        for server, _ in _running.values():
            server.stop()
        _running.clear()
