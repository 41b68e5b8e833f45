"""A COCO file, a folder of VOC files or masks, or a column of objects -> an image's true regions by its name."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image

from clincot.benchmarks.own.inside import inside
from clincot.errors import DataError
from clincot.records import Box, TrueRegion

MASKS = (".png", ".bmp", ".tif", ".tiff", ".gif")
INSIDE = 127  # of a mask's grey values, as `TrueRegion` has it
Regions = tuple[TrueRegion, ...]
Find = Callable[[str], Regions]


def finder_of(root: Path, top: Path, places: Sequence[str], where: str) -> tuple[Find, list[Path]]:
    """Return what finds an image's regions by the name that its row has for it, and the files that were read.

    A name is looked for as it is, then without folders, then without its suffix. Raises DataError for what is neither
    COCO nor VOC nor masks.
    """
    found: dict[str, list[TrueRegion]] = {}
    files: list[Path] = []
    for place in places:
        path = inside(top, root, place, f"{where}: regions")
        if path.is_file():
            read = {path: _coco(path)}
        elif path.is_dir():
            read = _folder(path)
        else:
            raise DataError(f"{where}: regions: there is no {place!r} in {root}. Correct the name.")
        for file, regions in read.items():
            files.append(file)
            for name, few in regions.items():
                found.setdefault(name, []).extend(few)

    def find(name: str) -> Regions:
        if not found:
            return ()
        keys = (name, Path(name).name, Path(name).stem)
        return tuple(next((found[key] for key in keys if key in found), ()))

    return find, files


def objects_of(cell: Any, where: str) -> Regions:
    """Return the regions of a cell as datasets' object detection has it: `{bbox: [[x, y, w, h]], category: [...]}`."""
    if not cell:
        return ()
    if isinstance(cell, Mapping):
        boxes = cell.get("bbox", cell.get("bboxes"))
        names = next((cell[k] for k in ("category", "categories", "label", "labels") if k in cell), None)
        if isinstance(boxes, list) and isinstance(names, list) and len(boxes) == len(names):
            return tuple(TrueRegion(str(n), _box(b, where)) for n, b in zip(names, boxes, strict=True))
    raise DataError(f"{where}: its objects are not {{bbox: [[x, y, width, height]], category: [...]}}. Correct them.")


def _coco(path: Path) -> dict[str, list[TrueRegion]]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8-sig"))
        names = {one["id"]: str(one["name"]) for one in tree["categories"]}
        images = {one["id"]: str(one["file_name"]) for one in tree["images"]}
        found: dict[str, list[TrueRegion]] = {name: [] for name in images.values()}
        for one in tree["annotations"]:
            where = f"{path.name}: annotation {one.get('id')}"
            found[images[one["image_id"]]].append(TrueRegion(names[one["category_id"]], _box(one["bbox"], where)))
    except (ValueError, KeyError, TypeError) as error:
        said = f"{type(error).__name__} {error}"
        raise DataError(f"{path}: is no COCO file ({said}). It needs images, annotations and categories.") from error
    return found


def _box(bbox: Any, where: str) -> Box:
    """Return [x, y, width, height] as whole pixels that hold all of it. Raises DataError for an empty box."""
    if not isinstance(bbox, (list, tuple)) or len(bbox) != 4 or not all(_finite(n) for n in bbox):
        raise DataError(f"{where}: its box {bbox!r:.80} is not [x, y, width, height]. Correct it.")
    x, y, width, height = bbox
    if width <= 0 or height <= 0:
        raise DataError(f"{where}: its box {bbox!r:.80} is empty. Remove it.")
    return Box(math.floor(x), math.floor(y), math.ceil(x + width), math.ceil(y + height))


def _finite(number: Any) -> bool:
    return isinstance(number, (int, float)) and math.isfinite(number)


def _folder(path: Path) -> dict[Path, dict[str, list[TrueRegion]]]:
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    xml, masks = ([f for f in files if f.suffix.lower() in kinds] for kinds in ((".xml",), MASKS))
    if xml:
        return {file: _voc(file) for file in xml}
    if masks:
        return {file: {file.stem: [_mask(file, file.parent.name)]} for file in masks}
    raise DataError(f"{path}: holds neither VOC files (.xml) nor masks ({', '.join(MASKS)}). Name another folder.")


def _voc(file: Path) -> dict[str, list[TrueRegion]]:
    """Return the objects of a VOC file, whose corners are taken as they are written."""
    try:
        tree = ElementTree.parse(file).getroot()
        found = []
        for one in tree.iter("object"):
            corners = [float(one.findtext(f"bndbox/{name}", "nan")) for name in ("xmin", "ymin", "xmax", "ymax")]
            left, upper, right, lower = corners
            name = one.findtext("name", "").strip()
            found.append(TrueRegion(name, _box([left, upper, right - left, lower - upper], f"{file.name}: {name}")))
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError(f"{file}: is no VOC file ({error}). Correct or remove it.") from error
    names = {file.stem, tree.findtext("filename", "").strip()} - {""}
    return {name: found for name in names}


def _mask(file: Path, finding: str) -> TrueRegion:
    """Return a mask file as a region of the finding that its folder is called after; above 0 is inside."""
    try:
        with Image.open(file) as opened:
            inside_ = opened.convert("L").point(lambda value: 255 if value > 0 else 0)
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"{file}: cannot be read as a mask ({error}). Replace or remove it.") from error
    box = inside_.getbbox()
    if box is None:
        raise DataError(f"{file}: is a mask without a pixel inside. Remove it.")
    buffer = io.BytesIO()
    inside_.convert("1").save(buffer, "PNG")
    return TrueRegion(finding.replace("_", " "), Box(*box), buffer.getvalue())
