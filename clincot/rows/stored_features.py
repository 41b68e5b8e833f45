"""Features of rows in memory -> the columns and metadata of a parquet file, read by `datasets` from version 3 on."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from datasets import Features, List, Value


def file_schema(features: Features) -> pa.Schema:
    """Return the columns of a file with metadata that `datasets` reads from version 3 on.

    `List` came with version 4 and `Json` with 4.7: lists are written by their older names, messages as text.
    """
    plain = of_file(features)
    info = {"info": {"features": {name: _older(entry) for name, entry in plain.to_dict().items()}}}
    return pa.schema(plain.type).with_metadata({"huggingface": json.dumps(info)})


def of_file(features: Features) -> Features:
    """Return the features with text where a row in memory may hold blocks."""
    if "prompt" not in features:
        return features
    return Features({**features, "prompt": List({"role": Value("string"), "content": Value("string")})})


def _older(entry: Any) -> Any:
    """Return a feature's metadata with lists as every version knows them."""
    if not isinstance(entry, dict):
        return entry
    if entry.get("_type") != "List":
        return {key: _older(value) for key, value in entry.items()}
    inner = _older(entry["feature"])
    # A Sequence of several fields was read as one list for each field; a JSON list is not.
    return {"feature": inner, "_type": "Sequence"} if "_type" in inner else [inner]
