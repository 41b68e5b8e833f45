"""Rows and drawn images -> a folder of own data for a test."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image


def png(shade: int, size: tuple[int, int] = (8, 8)) -> bytes:
    """A grey PNG: another shade is another image."""
    buffer = io.BytesIO()
    Image.new("L", size, shade).save(buffer, "PNG")
    return buffer.getvalue()


def write(
    folder: Path, rows: Iterable[Mapping[str, Any]], *, declared: str = "", table: str = "metadata.jsonl"
) -> Path:
    """Write rows, the images `N.png` that they name (each another one), and a clincot.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(rows)
    named = {name for row in rows for value in row.values() for name in _names(value)}
    for shade, name in enumerate(sorted(named)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(shade))
    (folder / table).parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rows) if table.endswith(".json") else "".join(json.dumps(row) + "\n" for row in rows)
    (folder / table).write_text(text, encoding="utf-8")
    if declared:
        (folder / "clincot.yaml").write_text(declared, encoding="utf-8")
    return folder


def _names(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [
        one for one in values if isinstance(one, str) and one.endswith(".png") and "/../" not in one and one[0] != "/"
    ]


def row(number: int, **more: Any) -> dict[str, Any]:
    """A row about image `number`."""
    return {"file_name": f"{number}.png", "question": f"What is in image {number}?", "answer": "a cyst", **more}
