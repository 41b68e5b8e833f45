"""R2Gen's IU-Xray folder, or a downloaded copy -> files of a complete local one, of canvases too; the table of studies.

R2Gen's folder holds `annotation.json` and `images/STUDY/0.png`, `1.png`. The licence forbids passing images or texts
on: what is written here may only go onto an embedded Hub.
Run `python -m clincot.benchmarks.iu_xray_release ANNOTATION.json` to make `iu_xray_studies.json` again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from clincot import images
from clincot.benchmarks._iu_xray_copies import read_copy
from clincot.benchmarks._r2gen import SPLITS, TABLE, Found, Row, Study, complete, match, text_hash
from clincot.benchmarks.base import Imported
from clincot.errors import DataError
from clincot.images import canvas

ANNOTATIONS = "annotation.json"
KEYS = {"train": "train", "validation": "val", "test": "test"}  # ours -> R2Gen's
FEATURES = {
    "id": {"dtype": "string", "_type": "Value"},
    "findings": {"dtype": "string", "_type": "Value"},
    "images": {"feature": {"_type": "Image"}, "_type": "List"},
}
BATCH = 64  # studies in memory at once, about 100 MB of full-size images
CARD = """---
license: cc-by-nc-nd-4.0
pretty_name: IU-Xray (local copy, R2Gen split)
---

# IU-Xray, R2Gen split

{note}. Columns: id, findings, images ({views}). For use on this machine: the licence (CC BY-NC-ND 4.0,
Demner-Fushman et al. 2016) forbids publishing derivatives.
"""
HIGHEST = 1024  # pixels of a view on a canvas: two full-size radiographs would make one of 25 million
ImagesOf = Callable[[Sequence[Study]], Iterator[list[bytes]]]
Draw = Callable[[Study, list[bytes]], list[bytes]]


def imported(release: Path, folder: Path) -> Imported:
    """Write a parquet file per split that `release` holds completely, and a card; raises DataError without test."""
    return _import(release, folder, "frontal first, by the convention of `0.png`", lambda _, views: views)


def imported_two_views(release: Path, folder: Path) -> Imported:
    """Write the same with one image a study, both views side by side; raises DataError for a study with one view."""
    return _import(release, folder, "both views on one canvas", lambda study, views: [side_by_side(study.id, views)])


def side_by_side(study: str, views: list[bytes]) -> bytes:
    """Return the first two views as one PNG, the frontal at most HIGHEST pixels high and the other as high."""
    if len(views) < 2:
        raise DataError(f"iu-xray-two-views: {study} has {len(views)} of 2 views. Use another copy of the collection.")
    first, second = (images.decode(data, study) for data in views[:2])
    if first.height > HIGHEST:
        first = first.resize((max(1, round(first.width * HIGHEST / first.height)), HIGHEST))
    return images.encode_png(canvas.compose(first, second))


def _import(release: Path, folder: Path, views: str, draw: Draw) -> Imported:
    rows, found, images = _r2gen(release) if (release / ANNOTATIONS).is_file() else _copy(release)
    held = [split for split in SPLITS if split == "test" or _is_complete(found, split)]
    note = (
        f"{', '.join(held)} of {release.name}: {len(found.rows):,} studies, {found.by_text} recognised by their text,"
        f" {found.by_count} of a shared text by its count; {found.outside} rows are of no study of R2Gen"
    )
    card = folder / "README.md"
    card.write_text(CARD.format(note=note, views=views), encoding="utf-8")
    files = {"README.md": card}
    for split in held:
        asked = complete(found, split, f"iu-xray: {release}")
        texts = {study.id: rows[found.rows[study.id][0]].text for study in asked}
        path = folder / f"{split}-00000-of-00001.parquet"
        _write(path, asked, texts, lambda few: map(draw, few, images(few)))
        files[f"data/{path.name}"] = path
    return Imported(files, note)


def _is_complete(found: Found, split: str) -> bool:
    try:
        complete(found, split, "")
    except DataError:
        return False
    return True


def read_annotations(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return (split, entry) in R2Gen's order; raises DataError for a file of another form or a blank split name."""
    try:
        read = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise DataError(f"{path}: is not JSON ({error}). Use R2Gen's annotation.json.") from error
    blank = [key for key in read if not key.strip()] if isinstance(read, dict) else []
    if blank:
        # manavkapadnis/SERPENT-VLM vendors a file whose test split is called by four spaces.
        raise DataError(f"{path}: the split {blank[0]!r} has a blank name. Rename it to the one missing, test.")
    if not isinstance(read, dict) or not all(isinstance(read.get(key), list) for key in KEYS.values()):
        raise DataError(f"{path}: has no splits {', '.join(KEYS.values())}. Use R2Gen's annotation.json.")
    entries = [(split, entry) for split, key in KEYS.items() for entry in read[key]]
    for split, entry in entries:
        if not isinstance(entry, dict) or not all(
            isinstance(entry.get(name), str) and entry[name].strip() for name in ("id", "report")
        ):
            raise DataError(f"{path}: an entry of {split} has no id or report: {str(entry)[:80]}. Correct it.")
    return entries


def _r2gen(release: Path) -> tuple[Sequence[Row], Found, ImagesOf]:
    entries = read_annotations(release / ANNOTATIONS)
    rows = [Row(entry["id"], entry["report"], split) for split, entry in entries]
    paths = {entry["id"]: entry.get("image_path", ()) for _, entry in entries}

    def images(asked: Sequence[Study]) -> Iterator[list[bytes]]:
        for study in asked:
            yield [_read(release / "images" / path) for path in paths[study.id]]

    return rows, match(rows), images


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise DataError(f"{path}: not found. The folder `images` of the release is incomplete; fetch it again.")
    return path.read_bytes()


def _copy(release: Path) -> tuple[Sequence[Row], Found, ImagesOf]:
    copy = read_copy(release)
    found = match(copy.rows)

    def images(asked: Sequence[Study]) -> Iterator[list[bytes]]:
        read = dict(copy.images([i for study in asked for i in found.rows[study.id]], lateral=True))
        for study in asked:
            yield [data for i in found.rows[study.id] for data in read[i]]

    return copy.rows, found, images


def _write(path: Path, asked: Sequence[Study], texts: dict[str, str], images: ImagesOf) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    image = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    schema = pa.schema(
        [("id", pa.string()), ("findings", pa.string()), ("images", image)],
        metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
    )
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(asked), BATCH):
            few = asked[start : start + BATCH]
            columns = {
                "id": [study.id for study in few],
                "findings": [texts[study.id] for study in few],
                "images": [[{"bytes": data, "path": None} for data in views] for views in images(few)],
            }
            writer.write_table(pa.table(columns, schema=schema))


def studies_table(annotations: Path) -> dict[str, dict[str, str]]:
    """Return split -> study id -> hash of its findings, in R2Gen's order."""
    table: dict[str, dict[str, str]] = {split: {} for split in SPLITS}
    for split, entry in read_annotations(annotations):
        table[split][entry["id"]] = text_hash(entry["report"])
    return table


def main(annotations: str) -> None:
    """Write the table of studies into the folder of this module."""
    table = studies_table(Path(annotations))
    lines = [f"{json.dumps(split)}: {json.dumps(ids, separators=(',', ':'))}" for split, ids in table.items()]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{TABLE.name}: {', '.join(f'{len(ids)} {split}' for split, ids in table.items())}")


if __name__ == "__main__":
    main(*sys.argv[1:])
