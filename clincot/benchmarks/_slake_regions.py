"""A folder in SLAKE's zip (detection.json, mask.png) and the mask values' names -> the regions of its image.

The formats are read from what public loaders of the release agree on, not from the release itself: `detection.json` is
a list of {name: [x, y, width, height]} in pixels, `mask.png` a map of grey values that `mask.txt` names, one `value:
name` per line. Both files may be missing. What does not fit these formats is refused by name.
"""

from __future__ import annotations

import json
import math
import re
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from clincot import images
from clincot.errors import DataError
from clincot.records import Box, TrueRegion

LINE = re.compile(r"\s*(\d+)\s*[:=,\t ]\s*(\S.*?)\s*$")
PULL = "Pull BoKelvin/SLAKE again, or remove the file from imgs.zip to go without."
VALUED = ("1", "L", "P", "I", "I;16")  # image modes whose pixels are numbers and no colours


def mask_names(path: Path) -> dict[int, str]:
    """Return value -> name from mask.txt, {} without the file; lines that do not begin with a number are headings."""
    if not path.is_file():
        return {}
    lines = map(LINE.match, path.read_text(encoding="utf-8-sig").splitlines())
    names = {int(match[1]): match[2] for match in lines if match}
    if not names:
        raise DataError(f"{path}: has no line `value: name`. Pull BoKelvin/SLAKE again.")
    return names


class Annotations:
    """The annotations of an opened archive; `names` are those of the mask values."""

    def __init__(self, archive: zipfile.ZipFile, names: Mapping[int, str]) -> None:
        self.archive = archive
        self.members = set(archive.namelist())
        self.names = {value: name for value, name in names.items() if value}  # 0 is the background

    def regions(self, member: str, data: bytes) -> tuple[TrueRegion, ...]:
        """Return the regions of the image `data` at `member`, whose annotations are in the same folder.

        Each box has the part of the mask inside it that bears its name; what the mask alone names has the box of its
        pixels. A box without a pixel in the image annotates nothing. Raises DataError for files of another format.
        """
        folder = member.rpartition("/")[0]
        boxes, mask = f"{folder}/detection.json", f"{folder}/mask.png"
        if not {boxes, mask} & self.members:
            return ()
        grid = images.grid_of(data)
        if grid is None:
            return ()  # builders skip and count an unreadable image
        size = grid.stored
        found = _boxes(self.archive.read(boxes), boxes, size) if boxes in self.members else []
        values = _values(self.archive.read(mask), mask, size) if self.names and mask in self.members else None
        if values is None:
            return tuple(TrueRegion(name, box) for name, box in found)
        return (*(self._masked(name, box, values) for name, box in found), *self._unboxed(found, values))

    def _masked(self, name: str, box: Box, values: np.ndarray) -> TrueRegion:
        wanted = [value for value, known in self.names.items() if known.casefold() == name.casefold()]
        inside = np.zeros(values.shape, bool)
        rows, columns = slice(box.upper, box.lower), slice(box.left, box.right)
        inside[rows, columns] = np.isin(values[rows, columns], wanted)
        return TrueRegion(name, box, _png(inside) if inside.any() else None)

    def _unboxed(self, found: list[tuple[str, Box]], values: np.ndarray) -> list[TrueRegion]:
        boxed = {name.casefold() for name, _ in found}
        shown = (int(value) for value in np.unique(values))
        alone = {v: self.names[v] for v in shown if v in self.names and self.names[v].casefold() not in boxed}
        return [TrueRegion(name, _bounds(values == value), _png(values == value)) for value, name in alone.items()]


def _boxes(data: bytes, where: str, size: tuple[int, int]) -> list[tuple[str, Box]]:
    try:
        listed = json.loads(data)
    except ValueError as error:
        raise DataError(f"slake: {where} is not JSON ({error}). {PULL}") from error
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise DataError(f"slake: {where} is no list of {{name: [x, y, width, height]}}. {PULL}")
    named = [(name, _box(numbers, name, where, size)) for entry in listed for name, numbers in entry.items()]
    return [(name, box) for name, box in named if box.left < box.right and box.upper < box.lower]


def _box(numbers: Any, name: str, where: str, size: tuple[int, int]) -> Box:
    """Return the pixels that x, y, width, height touch, cut to the image."""
    if not isinstance(numbers, list) or len(numbers) != 4 or not all(map(_is_number, numbers)):
        raise DataError(f"slake: {where} gives {name!r} the box {numbers!r}, not [x, y, width, height]. {PULL}")
    x, y, width, height = numbers
    left, upper = max(0, math.floor(x)), max(0, math.floor(y))
    return Box(left, upper, min(size[0], math.ceil(x + width)), min(size[1], math.ceil(y + height)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _values(data: bytes, where: str, size: tuple[int, int]) -> np.ndarray:
    try:
        with Image.open(BytesIO(data), formats=("PNG",)) as opened:
            if opened.size == size:
                return _numbers(opened, where)
            found = opened.size
    except images.DAMAGE as error:
        raise DataError(f"slake: {where} cannot be read ({error}). {PULL}") from error
    raise DataError(f"slake: {where} is {found[0]}x{found[1]}, its image {size[0]}x{size[1]}. {PULL}")


def _numbers(opened: Image.Image, where: str) -> np.ndarray:
    values = np.asarray(opened)
    if opened.mode not in VALUED:
        values = np.asarray(opened.convert("RGB"))
        if (values != values[..., :1]).any():
            raise DataError(f"slake: {where} is coloured, where grey values name the regions. {PULL}")
        values = values[..., 0]
    return values


def _bounds(inside: np.ndarray) -> Box:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _png(inside: np.ndarray) -> bytes:
    buffer = BytesIO()
    # The quickest level: train has some 2,000 masks, and two-valued images shrink at any.
    Image.fromarray(inside.astype(np.uint8) * 255).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
