"""Regions and views <-> how rows store them: without masks and pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clincot.records import Box, Region, View


def region_struct(region: Region | None) -> dict[str, Any] | None:
    """Return a region as rows store it: without its mask."""
    if region is None:
        return None
    return {"hypothesis": region.hypothesis, "box": list(region.box), "confidence": region.confidence}


def region_of(stored: Mapping[str, Any] | None) -> Region | None:
    """Return a stored region, without a mask."""
    return Region(stored["hypothesis"], Box(*stored["box"]), stored["confidence"]) if stored else None


def view_structs(views: Sequence[View]) -> list[dict[str, Any]]:
    """Return views as rows store them."""
    return [{**vars(view), "region": region_struct(view.region)} for view in views]


def views_of(stored: Sequence[Mapping[str, Any]]) -> tuple[View, ...]:
    """Return stored views; their regions come without masks."""
    return tuple(View(v["kind"], region_of(v["region"]), v["strength"], v["seed"], v.get("image") or 0) for v in stored)
