"""The folder of real data -> rows of released texts, for tests of measured tables; skips saying what is absent."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("CLINCOT_SHARED", Path(__file__).parents[2].parent / "shared")) / "data"


def read(path: str) -> Any:
    """Return the JSON at `path` below the data folder."""
    file = SHARED / path
    if not file.is_file():
        pytest.skip(f"{path} is not in {SHARED} (set CLINCOT_SHARED)")
    return json.loads(file.read_text(encoding="utf-8-sig"))


@cache
def released(benchmark: str, side: str) -> tuple[tuple[str, str, str], ...]:
    """Return (text, gold, answer type) of the released MMedPO rows; SLAKE rows join by order, VQA-RAD rows by qid."""
    rows = read(f"mmedpo/{benchmark}_dpo_weighted.json")
    if benchmark == "slake":
        asked = [row for row in read("slake/train.json") if row["q_lang"] == "en"]
    else:
        by_id = {str(row["qid"]): row for row in read("vqa_rad/VQA_RAD Dataset Public.json")}
        asked = [by_id[str(row["id"])] for row in rows]
    key = "conversations" if side == "chosen" else "rejected_conversations"
    texts = (row[key][1]["value"] for row in rows)
    return tuple((t, str(r["answer"]), r["answer_type"].strip()) for t, r in zip(texts, asked, strict=True))
