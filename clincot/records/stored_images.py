"""Encoded image bytes -> a place on disk, in an unlinked temporary file or a user's own, from which they are read."""

from __future__ import annotations

import os
import tempfile
import weakref
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock

from clincot.errors import DataError, DiskFull

DISK = "/var/tmp"  # /tmp is memory on many machines, which is what the images shall not fill


class Spill:
    """One temporary file for the images of a split; it has no name and goes when the last `StoredImage` in it goes.

    Reading has no position, so threads and forked processes read at the same time. TMPDIR chooses the folder.
    """

    def __init__(self) -> None:
        self._folder = spill_folder()
        self._file = tempfile.TemporaryFile(prefix="clincot-images-", dir=self._folder, buffering=0)  # noqa: SIM115 - open while an image lies in it
        self._end = 0
        self._lock = Lock()
        weakref.finalize(self, self._file.close)

    def append(self, data: bytes) -> StoredImage:
        """Write `data` after what is there. Raises DiskFull."""
        with self._lock:
            stored, left = StoredImage(self, self._end, len(data)), memoryview(data)
            try:
                while left:
                    written = os.pwrite(self._file.fileno(), left, self._end)
                    self._end += written
                    left = left[written:]
            except OSError as error:
                raise DiskFull(
                    f"{self._folder}: has no room for the images of a dataset ({error.strerror})."
                    " Free space, or set TMPDIR to a folder on another disk."
                ) from error
        return stored

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes of an image; raises DataError when the disk gives fewer."""
        data = os.pread(self._file.fileno(), length, offset)
        if len(data) != length:
            raise DataError(f"{self._folder}: gives back {len(data)} of {length} bytes of an image. Check the disk.")
        return data


@dataclass(frozen=True)
class StoredImage:
    """Where the encoded bytes of an image lie."""

    spill: Spill = field(repr=False)
    offset: int
    length: int

    def read(self) -> bytes:
        """Return the bytes; nobody keeps them but the caller."""
        return self.spill.read(self.offset, self.length)


@dataclass(frozen=True)
class ImageFile:
    """An image that lies in a file of the user's; `sha256` is that of its bytes when the data were read."""

    path: Path
    sha256: str

    def read(self) -> bytes:
        """Return the bytes. Raises DataError when the file is gone or another one."""
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read ({error.strerror}). Put it back.") from error
        if sha256(data).hexdigest() != self.sha256:
            raise DataError(f"{self.path}: has changed since the data were read. Run the command again.")
        return data


def spill_folder() -> str:
    """Return the folder of temporary images: TMPDIR, else /var/tmp."""
    return DISK if "TMPDIR" not in os.environ and os.access(DISK, os.W_OK) else tempfile.gettempdir()
