"""Images as rows of other projects name or hold them -> encoded bytes without names and notes, each kept once."""

from __future__ import annotations

import base64
import binascii
import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from clincot import images
from clincot.errors import DataError, UnreadableImage
from clincot.hub.licences import refuse_credentialed
from clincot.images.notes import carries_notes
from clincot.images.views import encode
from clincot.records.stored_images import Spill, StoredImage
from clincot.rows.formats.base import UnfitRow
from clincot.rows.schema import image_struct

URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
INLINE = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)
MIMIC = re.compile(r"(^|/)p1\d/p1\d{7}/s5\d{7}/")  # folders of MIMIC-CXR: a patient, a study
AS_THEY_ARE = ("PNG", "JPEG", "WEBP")  # what datasets and browsers show; others are written as PNG of their pixels
LONGEST = 4096  # of a path


class Images:
    """The images of one import by content; `folder` is where paths begin.

    They must not leave `within`, and links in it must not lead out of `links`; both are the folder where None.
    """

    def __init__(self, folder: Path, within: Path | None = None, links: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.within = (within or folder).absolute()
        self.links = (links or folder).resolve()
        self.without_notes = 0
        self._spill = Spill()
        self._kept: dict[str, StoredImage] = {}
        self._of_path: dict[str, str] = {}

    def keep(self, image: Any) -> str:
        """Return the content id of an image that a row names by path or holds.

        Raises UnfitRow for one that is absent or cannot be read, DataError for a URL, a path that leaves the folder and
        a path of MIMIC-CXR.
        """
        if isinstance(image, Mapping):
            if image.get("bytes"):
                return self._keep(bytes(image["bytes"]), "an image")
            image = image.get("path") or image.get("url")
        if not isinstance(image, str) or not image.strip():
            raise UnfitRow("with an image that is neither a path nor bytes", repr(image)[:60])
        if INLINE.match(image):
            return self._keep(_inline(image), "an image")
        if image not in self._of_path:
            self._of_path[image] = self._keep(self._read(image), repr(image))
        return self._of_path[image]

    def struct(self, id_: str) -> dict[str, Any]:
        """Return an image as a row carries it: its bytes, and a name made of them."""
        return image_struct(self._kept[id_].read())

    def size(self, id_: str) -> int:
        """Return the bytes of an image."""
        return self._kept[id_].length

    def _read(self, name: str) -> bytes:
        if URL.match(name):
            raise DataError(f"image {name[:80]!r}: is a URL. Download the images, and give their folder with --images.")
        refuse_credentialed(name)
        if MIMIC.search(name):
            refuse_credentialed(f"image {name[:80]!r} (a path of MIMIC-CXR)")
        if len(name) > LONGEST or "\0" in name:
            raise UnfitRow("with an image that is neither a path nor bytes", repr(name[:60]))
        try:
            path = Path(os.path.normpath(self.folder / name))
            inside = path.is_relative_to(self.within) and path.resolve().is_relative_to(self.links)
            data = path.read_bytes() if inside and path.is_file() else None
        except (OSError, RuntimeError) as error:  # a name that is too long, a circle of links, no permission
            raise UnfitRow("whose image cannot be read", f"{name[:80]!r} ({error})") from error
        if not inside:
            raise DataError(
                f"image {name[:80]!r}: is outside of {self.folder}. Name the folder that holds it with --images."
            )
        if data is None:
            raise UnfitRow("whose image is missing", f"{name[:80]!r} in {self.folder}")
        return data

    def _keep(self, data: bytes, name: str) -> str:
        try:
            clean = self._clean(data, name)
        except UnreadableImage as error:
            raise UnfitRow("whose image cannot be read", str(error)) from error
        id_ = images.content_id(clean)
        if id_ not in self._kept:
            self._kept[id_] = self._spill.append(clean)
        return id_

    def _clean(self, data: bytes, name: str) -> bytes:
        """Return the bytes as they are, or a PNG of the pixels where they carry notes or few programs read them."""
        shown, noted = images.decode(data, name), carries_notes(data)
        try:
            with Image.open(io.BytesIO(data)) as opened:
                plain = opened.format in AS_THEY_ARE and not noted
        except (OSError, SyntaxError, ValueError):  # DICOM
            plain = False
        self.without_notes += noted
        return data if plain else encode(shown)


def _inline(text: str) -> bytes:
    try:
        return base64.b64decode(text.partition(",")[2], validate=True)
    except binascii.Error as error:
        raise UnfitRow("whose image cannot be read", f"its base64 is broken ({error})") from error
