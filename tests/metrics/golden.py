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


T5 = (
    "The heart size and mediastinal contours are within normal limits. The lungs are clear. There is no focal airspace "
    "consolidation. No pleural effusion or pneumothorax. No acute cardiopulmonary abnormality."
)
T6 = T5.replace("No acute", "There are degenerative changes of the spine. No acute")
PUBLISHED = {
    "template": ("template_test_result", "template_test_refs", "template_test_summary"),
    "rag": ("rag_top20_test_preds", "rag_top20_test_refs", "rag_top20_test_metrics"),
}


@cache
def generated(system: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the reports and references of one published report generator, in the order of its references."""
    said, wanted, _ = (read(f"report_golden/{name}.json") for name in PUBLISHED[system])
    return tuple(said[key][0] for key in wanted), tuple(wanted[key][0] for key in wanted)


def figures(system: str) -> dict[str, float]:
    """Return what that generator's authors published."""
    return dict(read(f"report_golden/{PUBLISHED[system][2]}.json"))


@cache
def reference_reports() -> tuple[str, ...]:
    """Return the 590 reference reports of the IU-Xray test split."""
    return tuple(row["report"] for row in read("iu_xray/annotation.json")["test"])
