"""A seed and three sizes -> the phantom benchmark as Hub files: one parquet file per split and a dataset card."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clincot.errors import DataError
from clincot.phantom.dataset_card import dataset_card
from clincot.phantom.drawing.draw import RANGES, draw, png
from clincot.phantom.texts.questions import questions, report
from clincot.progress import bar

SPLITS = ("train", "validation", "test")
DICTIONARY_LIMIT = 1 << 30  # bytes; above the default of 1 MB parquet would store an image once per row
GROUP = 20_000  # rows; images are stored once per row group
FINDING = pa.struct([("finding", pa.string()), ("box", pa.list_(pa.int32()))])
COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("image_id", pa.string()),
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("question", pa.string()),
        ("answer", pa.string()),
        ("answer_type", pa.string()),
        ("kind", pa.string()),
        ("report", pa.string()),
        ("findings", pa.list_(FINDING)),
    ]
)


def phantom_files(folder: Path, *, seed: int, train: int, validation: int, test: int) -> dict[str, Path]:
    """Draw so many images per split and write the repository's files under `folder`.

    Returns path in the repository -> file. Equal arguments give equal bytes with equal package versions. Raises
    DataError when a split would run into the next one's images.
    """
    sizes = {"train": train, "validation": validation, "test": test}
    room = RANGES["validation"] - RANGES["train"]
    files: dict[str, Path] = {}
    counts: dict[str, int] = {}
    for split in SPLITS:
        if not 0 < sizes[split] <= room:
            raise DataError(f"phantom {split}: {sizes[split]} images. Ask for 1 to {room:,}.")
        name = f"data/{split}-00000-of-00001.parquet"
        files[name] = folder / name
        counts[split] = _write(files[name], seed, split, sizes[split])
    files["README.md"] = folder / "README.md"
    files["README.md"].write_text(dataset_card(seed, sizes, counts), encoding="utf-8")
    return files


def image_rows(seed: int, index: int) -> list[dict[str, Any]]:
    """Return the rows of one image: about five questions that share its bytes."""
    phantom = draw(seed, index)
    image_id = f"phantom-{seed}-{index:07d}"
    shared = {
        "image_id": image_id,
        "image": {"bytes": png(phantom), "path": f"{image_id}.png"},
        "report": report(phantom.findings),
        "findings": [{"finding": f.name, "box": list(f.box)} for f in phantom.findings],
    }
    return [
        {
            "id": f"{image_id}-{number}",
            "question": question.text,
            "answer": question.answer,
            "answer_type": question.answer_type,
            "kind": question.kind,
            **shared,
        }
        for number, question in enumerate(questions(phantom))
    ]


def _write(path: Path, seed: int, split: str, images: int) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = COLUMNS.with_metadata({"huggingface": json.dumps({"info": {"features": features()}})})
    written = 0
    with pq.ParquetWriter(
        path, schema, use_dictionary=True, dictionary_pagesize_limit=DICTIONARY_LIMIT, compression="zstd"
    ) as writer:
        for rows in _groups(seed, RANGES[split], images):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            written += len(rows)
    return written


def _groups(seed: int, first: int, images: int) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    with bar("drawing", images, "images") as advance:
        for index in range(first, first + images):
            rows += image_rows(seed, index)
            advance(1)
            if len(rows) >= GROUP:
                yield rows
                rows = []
    if rows:
        yield rows


def features() -> dict[str, Any]:
    """Return the columns as `datasets` features, so that it decodes images by itself."""
    text = {"dtype": "string", "_type": "Value"}
    box = {"feature": {"dtype": "int32", "_type": "Value"}, "_type": "List"}
    special = {"image": {"_type": "Image"}, "findings": {"feature": {"finding": text, "box": box}, "_type": "List"}}
    return {name: special.get(name, text) for name in COLUMNS.names}
