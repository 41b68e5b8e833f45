"""Files that a browser sent -> the bytes of one image, checked; nothing stays on disk."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from clincot import images
from clincot.errors import DataError
from clincot.records.stored_images import spill_folder

LARGEST = 64 * 2**20  # bytes of an upload: a mammogram of 16 bits has 40 million
FOLDER = "GRADIO_TEMP_DIR"
AGE = 60.0  # seconds that a file may wait to be taken in; a browser asks for that as soon as it was sent
EMPTY = 10.0  # seconds that an empty file may wait: another upload begins as one


@dataclass(frozen=True)
class Upload:
    """An image that was taken in: `name` is what its sender called it."""

    name: str
    data: bytes = field(repr=False)

    def decoded(self) -> Image.Image:
        """Return it as models see it (RGB). Raises UnreadableImage."""
        return images.decode(self.data, self.name)


@dataclass(frozen=True)
class Waiting:
    """The folder in which uploads wait until they are taken in."""

    folder: Path
    age: float = AGE

    def take(self, paths: Sequence[str]) -> Upload:
        """Return the one image among these files, which are deleted in any case.

        Raises DataError for none, several, an empty one or one outside of the folder, which is neither read nor
        deleted, UnreadableImage for one that is no image.
        """
        inside = self.folder.resolve()
        if not all(Path(path).resolve().is_relative_to(inside) for path in paths):
            raise DataError("image: is not a file that was uploaded. Upload the file itself.")
        try:
            if len(paths) != 1:
                raise DataError(f"{len(paths)} files: a question is about one image. Give one.")
            path = Path(paths[0])
            upload = Upload(path.name, path.read_bytes())
            if not upload.data:
                raise DataError(f"{upload.name}: is empty. Give an image: PNG, JPEG, TIFF, WebP or DICOM.")
            upload.decoded()
            return upload
        finally:
            for path in map(Path, paths):
                path.unlink(missing_ok=True)
                with suppress(OSError):  # another file of the same content waits there
                    path.parent.rmdir()

    def sweep(self) -> None:
        """Delete what is older than `age` seconds, empty files after EMPTY: what was sent and never taken in.

        Gradio opens an empty temporary file for each file that it hands over, and for each that begins to arrive.
        """
        now = time.time()
        for path in sorted(self.folder.rglob("*"), reverse=True):  # what a folder holds comes before it
            with suppress(OSError):  # taken in meanwhile, or a folder that is in use
                known, is_folder = path.lstat(), path.is_dir()
                waits = self.age if is_folder or known.st_size else min(self.age, EMPTY)
                if now - known.st_mtime >= waits:
                    if is_folder:
                        path.rmdir()
                    else:
                        path.unlink()


@contextmanager
def waiting(age: float = AGE) -> Iterator[Waiting]:
    """Make the folder, sweep it while the page is open, and delete it after.

    Gradio and the parts of an upload use it: it is the process's folder of temporary files meanwhile.
    """
    with TemporaryDirectory(prefix="clincot-app-", dir=spill_folder()) as folder:
        place, ended = Waiting(Path(folder), age), threading.Event()
        before = os.environ.get(FOLDER)
        os.environ[FOLDER] = folder

        def keep_clean() -> None:
            while not ended.wait(min(age, EMPTY) / 4):
                place.sweep()

        sweeper = threading.Thread(target=keep_clean, daemon=True)
        sweeper.start()
        try:
            yield place
        finally:
            ended.set()
            sweeper.join()
            os.environ.pop(FOLDER)
            if before is not None:
                os.environ[FOLDER] = before
