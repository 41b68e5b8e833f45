"""A row of a round's candidates -> the candidate; rows of older versions lack what was added since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clincot.records import WHOLE, Candidate, JudgeScore, Region, View
from clincot.rows.stored_views import region_of, views_of


def candidate_of(row: Mapping[str, Any]) -> Candidate:
    """Return the candidate of a row; its regions come without masks, which no candidate row holds."""
    region = region_of(row["region"])
    return Candidate(
        id=row["id"],
        example_id=row["example_id"],
        step=row["step"],
        text=row["text"],
        region=region,
        findings=tuple(row["findings"]),
        logp=row["logp"],
        tokens=row["tokens"],
        lookahead=tuple(row["lookahead"]),
        judge_scores=tuple(JudgeScore(**score) for score in row["judge_scores"]),
        score=row["score"],
        finish=row.get("finish"),
        views=_views(row.get("views"), region),
        source=row.get("source") or "policy",
        token_scores=None if row.get("token_scores") is None else tuple(row["token_scores"]),
    )


def _views(stored: list[dict[str, Any]] | None, region: Region | None) -> tuple[View, ...]:
    """Return the stored views; before they were stored, every candidate saw the image and the crop of its region."""
    if stored is None:
        return (WHOLE,) if region is None else (WHOLE, View("crop", region))
    return views_of(stored)
