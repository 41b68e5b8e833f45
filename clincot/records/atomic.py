"""Bytes, or what a function writes -> a file or folder that is whole under its name or absent, even after a crash."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from clincot.errors import DiskFull


def write_file(path: Path, content: bytes | str | Callable[[Path], object]) -> Path:
    """Write `content` to a temporary name next to `path`, flush it to the disk, rename it to `path` and return that.

    A text is written in UTF-8; a function gets the temporary path and writes there. The folder is made where it is
    missing. Several processes may write the same file at once: the last one to finish wins. Raises DiskFull for every
    OSError, also those of the function; nothing is left behind then.
    """
    partial = _beside(path, token_hex(4))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(partial)
        else:
            partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        sync(partial)
        os.replace(partial, path)
        sync(path.parent)
    except OSError as error:
        reason = error.strerror or error
        raise DiskFull(
            f"{path}: cannot be written ({reason}). Free space or give another folder; what is finished stays."
        ) from error
    finally:
        with suppress(OSError):  # renamed, or never made
            partial.unlink()
    return path


@contextmanager
def new_folder(path: Path, *, shared: bool = False, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder next to `path`, which becomes `path` when the block ends without an exception.

    `shared`: other processes may write the same folder at once, so the temporary name is random; else what a killed
    process left is deleted first. `replace`: `path` may exist; else it may only be an empty folder. OSErrors pass.
    """
    partial = _beside(path, token_hex(4) if shared else "")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        for inside in (*partial.rglob("*"), partial):
            sync(inside)
        if replace:
            shutil.rmtree(path, ignore_errors=True)
        os.replace(partial, path)
        sync(path.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def sync(path: Path) -> None:
    """Flush a file or folder to the disk, so that a rename after it survives a crash."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path, token: str) -> Path:
    return path.with_name(f".{path.name}.{token}.partial" if token else f".{path.name}.partial")
