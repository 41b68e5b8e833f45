"""Bytes and folder entries in memory -> on disk to stay (fsync of files and of their folders), and locks."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no flock: git's own ref locks still serialise processes there
    fcntl = None  # type: ignore[assignment]

_threads: dict[str, threading.Lock] = {}
_threads_guard = threading.Lock()


def sync_folder(folder: Path) -> None:
    """Make the entries (names, renames, deletions) of a folder durable."""
    if os.name == "nt":  # folders cannot be opened there, NTFS journals them
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """mkdir -p, each new level synced into its parent."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_chain(folder: Path, top: Path) -> None:
    """Sync `folder` and its parents up to `top`: another process may have made one and not synced it yet."""
    sync_folder(folder)
    while folder != top and folder != folder.parent:
        folder = folder.parent
        sync_folder(folder)


def write_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file atomically; readers see the old or the new content, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_tree(folder: Path) -> None:
    """Sync every file and folder below `folder` (a new repo before it gets its name)."""
    for root, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(root, name), "rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(root))


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold `path` as a lock against all threads and processes; the kernel frees it when a process dies.

    Raises FileNotFoundError when the file's folder was removed, also while waiting.
    """
    with _threads_guard:
        lock = _threads.setdefault(str(path), threading.Lock())
    with lock, open(path, "r+b") as handle:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        if not os.path.samestat(os.fstat(handle.fileno()), os.stat(path)):
            raise FileNotFoundError(f"{path} was replaced while waiting for it")
        yield
