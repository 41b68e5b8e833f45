"""The image cells of rows -> images with their content ids: files stay where they are, embedded ones are stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from clincot.benchmarks.own.fetching import place_of
from clincot.benchmarks.own.inside import inside
from clincot.benchmarks.own.questions import Unusable
from clincot.benchmarks.own.tables import Row
from clincot.benchmarks.reading import ImageStore
from clincot.errors import DataError
from clincot.records.stored_images import ImageFile, StoredImage

ID = 16  # digits, as `clincot.images.content_id` has them
SCHEMES = ("http://", "https://", "ftp://", "s3://", "gs://", "data:")


@dataclass(frozen=True)
class Kept:
    """An image of a row: its content id, where its bytes are, and the name that the row has for it."""

    id: str
    image: StoredImage | ImageFile
    name: str


@dataclass
class ImageBook:
    """All images of the data, each looked at once, however many rows repeat it; `hashes` is path -> sha256.

    `root` is the folder of the data and `top` the folder that no link may leave. `folder` is that of the images where
    rows do not name it.
    """

    root: Path
    top: Path
    folder: str = ""
    hashes: dict[str, str] = field(default_factory=dict)
    _named: dict[tuple[Path, str], Kept] = field(default_factory=dict)
    _known: dict[Path, ImageFile | str] = field(default_factory=dict)
    _store: ImageStore = field(default_factory=ImageStore)

    def keep(self, cell: Any, row: Row) -> list[Kept]:
        """Return the images of a cell: a path, bytes, what datasets stores, or a list of these.

        Raises Unusable for an image that is not there, DataError for a URL that was not fetched and a path that leads
        out of the folder.
        """
        cells = cell if isinstance(cell, (list, tuple)) else [cell]
        return [self._one(one, row) for one in cells if one is not None]

    def _one(self, cell: Any, row: Row) -> Kept:
        data = cell.get("bytes") if isinstance(cell, dict) else cell if isinstance(cell, bytes) else None
        name = cell.get("path") or "" if isinstance(cell, dict) else cell
        if isinstance(data, bytes) and data:
            id_, image = self._store.keep(data, row.where)
            return Kept(id_, image, name if isinstance(name, str) else "")
        if not isinstance(name, str) or not name.strip():
            raise Unusable("it names no image")
        key = (row.base, name)
        if key not in self._named:
            self._named[key] = self._url(name, row) if name.startswith(SCHEMES) else self._path(name, row)
        return self._named[key]

    def _path(self, name: str, row: Row) -> Kept:
        folder = self.root / self.folder if self.folder else row.base
        path = inside(self.top, folder, name.strip(), row.where)
        if not path.is_file() and not self.folder and folder != self.root:
            path = inside(self.top, self.root, name.strip(), row.where)
        return self._file(path, name)

    def _url(self, url: str, row: Row) -> Kept:
        path = place_of(self.root, url)
        if not path.is_file() and path.parent.is_dir():
            raise Unusable(f"its image at {url[:120]} was not fetched")
        if not path.is_file():
            raise DataError(
                f"{row.where}: its image is at {url[:120]}, and reading fetches nothing. Fetch such images once with"
                " `clincot benchmarks fetch DATA --allow-urls`."
            )
        return self._file(path, url)

    def _file(self, path: Path, name: str) -> Kept:
        found = self._known.get(path)
        if found is None:
            found = self._known[path] = self._looked_at(path)
        if isinstance(found, str):
            raise Unusable(f"its image {name!r} {found}")
        return Kept(found.sha256[:ID], found, name)

    def _looked_at(self, path: Path) -> ImageFile | str:
        """Return the file with its sha256, or why it is no image; nothing is decoded."""
        if path.is_dir():
            return "is a folder: name the one slice or view that is meant"
        try:
            with path.open("rb") as opened:
                digest = sha256()
                while block := opened.read(1 << 20):
                    digest.update(block)
                empty = opened.tell() == 0
        except FileNotFoundError:
            return "is not there"
        except OSError as error:
            return f"cannot be read ({error.strerror})"
        if empty:
            return "is empty"
        name = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.name
        self.hashes[name] = digest.hexdigest()
        return ImageFile(path, digest.hexdigest())
