"""An image of an example -> its size, mode and pixels' hash; or why it cannot be read; and what its header says."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from clincot import images
from clincot.errors import ClincotError
from clincot.images.identifiers import Identifiers, identifiers_of
from clincot.images.notes import carries_notes
from clincot.records import Example
from clincot.records.stored_images import ImageFile
from clincot.runs.data_check.finding import Finding

SMALLEST = 32  # pixels of a side, below which a region shows nothing


@dataclass(frozen=True)
class Looked:
    """What one image is: `size` as it is shown (width, height), `pixels` a hash of it, `mode` as it is stored.

    `fault`: why it cannot be read. `notes`: its file carries EXIF, comments or a DICOM header. `header`: what a DICOM
    header says. `path`: the file's name in its folder, empty for an image within a table.
    """

    where: str
    fault: str = ""
    size: tuple[int, int] | None = None
    pixels: str = ""
    mode: str = ""
    notes: bool = False
    header: Identifiers | None = None
    path: str = ""


def look(example: Example, number: int = 0) -> Looked:
    """Decode an image of `example` and read its header; 0 is the primary one."""
    where = example.label_of(number)
    image = example.more[number - 1].image if number else example.image
    path = image.path.name if isinstance(image, ImageFile) else ""
    try:
        data = example.encoded(number)
        header = identifiers_of(data)
        shown = images.decode(data, where)
    except (ClincotError, ValueError, ImportError) as error:
        return Looked(where, fault=str(error).removeprefix(f"{where}: "), path=path)
    digest = hashlib.sha256(repr(shown.size).encode() + shown.tobytes()).hexdigest()
    return Looked(where, "", shown.size, digest, _mode(data, header), carries_notes(data), header, path)


def image_findings(splits: Mapping[str, list[Example]], looked: Mapping[str, Looked]) -> tuple[Finding, ...]:
    """Return what is wrong with single images, and sets of them that are one image by pixels."""
    all_of = list(looked.values())
    unread = [f"{one.where}: {one.fault}" for one in all_of if one.fault]
    small = [f"{one.where}: {one.size[0]}x{one.size[1]}" for one in all_of if one.size and min(one.size) < SMALLEST]
    blank = [one.where for one in all_of if one.size and one.pixels == _blank(one.size)]
    return (
        *Finding.of(True, "images cannot be read", unread, "Replace them, or remove their rows."),
        *Finding.of(False, f"images have a side below {SMALLEST} pixels", small, "Look whether they are meant."),
        *Finding.of(False, "images are black", blank, "Look whether they are meant."),
    )


def _blank(size: tuple[int, int]) -> str:
    return hashlib.sha256(repr(size).encode() + bytes(3 * size[0] * size[1])).hexdigest()


def _mode(data: bytes, header: Identifiers | None) -> str:
    """Return the format and mode of a stored image, from its header: PNG I;16, DICOM MONOCHROME2 12 bit."""
    if header is not None:
        return f"DICOM {header.stored}"
    with Image.open(io.BytesIO(data), formats=images.FORMATS) as opened:
        return f"{opened.format} {opened.mode}"
