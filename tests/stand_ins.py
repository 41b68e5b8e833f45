"""Stand-ins: repositories laid out as the public ones, with their real questions and reports and drawn pictures.

No picture of SLAKE or IU-Xray may be shipped or fetched here. Every picture drawn in its place says so in itself.
"""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

SLAKE_FILES = {"train": "train", "validation": "validate", "test": "test"}
SLAKE_SIZE = (512, 512)  # CT and MRI slices, which most of SLAKE's images are
RADIOGRAPH = (2048, 2496)  # a full-size radiograph; copies of ykumards/open-i are 1,760 to 2,890 pixels wide
SMALL_RADIOGRAPH = (64, 80)
MASKS = {1: "Liver", 2: "Left Lung", 3: "Brain Edema"}
NOTE = "drawn stand-in, no radiograph"


def slake_stand_in(shared: Path, folder: Path, splits: Iterable[str] = SLAKE_FILES) -> dict[str, Path]:
    """Write BoKelvin/SLAKE's files below `folder`: real questions, drawn images with masks and boxes."""
    folder.mkdir(parents=True, exist_ok=True)
    names: set[str] = set()
    files = {}
    for split in splits:
        text = (shared / "slake" / f"{SLAKE_FILES[split]}.json").read_text(encoding="utf-8")
        names |= {row["img_name"] for row in json.loads(text)}
        files[f"{split}.json"] = folder / f"{split}.json"
        files[f"{split}.json"].write_text(text, encoding="utf-8")
    files["mask.txt"] = folder / "mask.txt"
    files["mask.txt"].write_text("".join(f"{value}:{name}\n" for value, name in MASKS.items()))
    files["imgs.zip"] = folder / "imgs.zip"
    with zipfile.ZipFile(files["imgs.zip"], "w") as archive:
        for name in sorted(names):
            for member, data in _slake_image(name).items():
                archive.writestr(member, data)
    return files


def _slake_image(name: str) -> dict[str, bytes]:
    """Draw a bright liver and a lung whose places follow from the image's number; the lung has no box."""
    number = int("".join(filter(str.isdigit, name)))
    x, y = 40 + number % 100, 60 + number % 37
    picture, mask = Image.new("L", SLAKE_SIZE, 20), Image.new("L", SLAKE_SIZE, 0)
    for value, (left, upper, width, height) in {1: (x, y, 120, 90), 2: (x + 200, y, 90, 180)}.items():
        where = (left, upper, left + width - 1, upper + height - 1)
        ImageDraw.Draw(picture).ellipse(where, fill=90 * value)
        ImageDraw.Draw(mask).ellipse(where, fill=value)
    boxes = [{"Liver": [float(x), float(y), 120.0, 90.0]}]
    folder = f"imgs/{name.rpartition('/')[0]}"
    return {
        f"imgs/{name}": _encoded(picture, "JPEG", comment=f"{NOTE} for {name}".encode()),
        f"{folder}/mask.png": _encoded(mask, "PNG"),
        f"{folder}/detection.json": json.dumps(boxes).encode(),
        f"{folder}/question.json": b"[]",
    }


def iu_xray_stand_in(shared: Path, folder: Path, size: tuple[int, int] = RADIOGRAPH) -> dict[str, Path]:
    """Write ykumards/open-i's one split below `folder`: uid, findings, impression and two views of every report.

    Rows stand in another order than R2Gen's, and 20 have an impression alone, as in the collection.
    """
    annotation = json.loads((shared / "iu_xray" / "annotation.json").read_text(encoding="utf-8"))
    entries = [entry for split in annotation.values() for entry in split]
    random.Random(0).shuffle(entries)
    views = [_radiograph(size, shade) for shade in (120, 160)]
    rows = [_report(int(e["id"][3:].partition("_")[0]), e["report"], *views) for e in entries]
    rows += [_report(90_000 + i, None, *views) for i in range(20)]
    return {"data/train-00000-of-00001.parquet": write_rows(folder / "train-00000-of-00001.parquet", rows)}


def _report(uid: int, findings: str | None, frontal: bytes, lateral: bytes) -> dict[str, Any]:
    views = {"img_frontal": stamped(frontal, f"{NOTE}: {uid} 0"), "img_lateral": stamped(lateral, f"{NOTE}: {uid} 1")}
    return {"uid": uid, "findings": findings, "impression": "None."} | views


def r2gen_stand_in(entries: dict[str, list[dict[str, Any]]], folder: Path) -> Path:
    """Write R2Gen's folder: annotation.json and images/STUDY/0.png, 1.png."""
    for split in entries.values():
        for entry in split:
            for path in entry["image_path"]:
                (folder / "images" / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / "images" / path).write_bytes(stamped(small_radiograph(), f"{NOTE}: {path}"))
    (folder / "annotation.json").write_text(json.dumps(entries), encoding="utf-8")
    return folder


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write rows as parquet in groups of 200; zstd finds that pictures of one drawing are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=200, compression="zstd")
    return path


def stamped(png: bytes, text: str) -> bytes:
    """Return the same picture with a comment in it, so that every study has bytes of its own."""
    chunk = b"tEXtComment\0" + text.encode()
    whole = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    end = png.rindex(b"IEND") - 4
    return png[:end] + whole + png[end:]


def small_radiograph(shade: int = 120) -> bytes:
    """Draw two lungs on few pixels."""
    return _radiograph(SMALL_RADIOGRAPH, shade)


def _radiograph(size: tuple[int, int], shade: int) -> bytes:
    (width, height), picture = size, Image.new("L", size, shade)
    for left in (0.1, 0.55):
        lung = (left * width, 0.15 * height, (left + 0.35) * width, 0.8 * height)
        ImageDraw.Draw(picture).ellipse(lung, fill=30)
    return _encoded(picture, "PNG")


def _encoded(picture: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()
