"""Rows of questions, an image's rows together -> one parquet file that `datasets` reads, each image stored once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

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


def write_rows(path: Path, images: Iterable[list[dict[str, Any]]], columns: pa.Schema = COLUMNS) -> int:
    """Write the rows of `images`, one list an image, to `path` and return their number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = columns.with_metadata({"huggingface": json.dumps({"info": {"features": features(columns)}})})
    written = 0
    with pq.ParquetWriter(
        path, schema, use_dictionary=True, dictionary_pagesize_limit=DICTIONARY_LIMIT, compression="zstd"
    ) as writer:
        for rows in _groups(images):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            written += len(rows)
    return written


def _groups(images: Iterable[list[dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    for of_image in images:
        rows += of_image
        if len(rows) >= GROUP:
            yield rows
            rows = []
    if rows:
        yield rows


def features(columns: pa.Schema = COLUMNS) -> dict[str, Any]:
    """Return the columns as `datasets` features, so that it decodes images by itself."""
    text = {"dtype": "string", "_type": "Value"}
    box = {"feature": {"dtype": "int32", "_type": "Value"}, "_type": "List"}
    found = {"feature": {"finding": text, "box": box}, "_type": "List"}
    special = {"image": {"_type": "Image"}, "findings": found, "distractors": found}
    return {name: special.get(name, text) for name in columns.names}
