"""Stored pairs, candidates and regions of a round -> what the page knows of each pair, as plain values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clincot.records import Example
from clincot.rows.stored_messages import read_content

Row = Mapping[str, Any]
Keep = Callable[[bytes], "Shown"]


@dataclass(frozen=True)
class Shown:
    """An image of the page: its file within the folder, and its size in pixels."""

    file: str
    width: int
    height: int


@dataclass(frozen=True)
class Around:
    """What a round knows around its pairs: candidates by group, regions by image, examples by id where at hand."""

    candidates: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    regions: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    examples: Mapping[str, Example] = field(default_factory=dict)

    @classmethod
    def of(cls, candidates: Iterable[Row], regions: Iterable[Row], examples: Iterable[Example]) -> Around:
        """Group the rows as pairs name them."""
        by_group: dict[str, list[Row]] = {}
        for row in candidates:
            by_group.setdefault(f"{row['example_id']}/{row['step']}", []).append(row)
        by_image: dict[str, list[Row]] = {}
        for row in regions:
            by_image.setdefault(row["image_id"], []).append(row)
        return cls(by_group, by_image, {example.id: example for example in examples})


def entries(pairs: Iterable[Row], around: Around, keep: Keep) -> Iterator[dict[str, Any]]:
    """Yield one entry for each pair; `keep` stores an image and says where it is."""
    for row in pairs:
        example = around.examples.get(row["example_id"])
        shared = [keep(image["bytes"]) for image in row.get("images") or () if image and image.get("bytes")]
        own = [keep(image["bytes"]) for image in row.get("side_images") or () if image and image.get("bytes")]
        first = row.get("chosen_images_count")
        first = (1 if len(own) == 2 else len(own)) if first is None else first
        offered = around.candidates.get(row.get("group") or "", ())
        won, lost = row.get("chosen_candidate"), row.get("rejected_candidate")
        yield {
            "id": row["id"],
            "example": row["example_id"],
            "image": _image_id(row, example),
            "step": row.get("step") or 1,
            "method": row.get("method") or "",
            "kind": example.kind if example else "",
            "question": example.question if example else question_of(row),
            "prompt": _prompt(row),
            "gold": example.answer if example else None,
            "findings": next((list(one.get("findings") or ()) for one in offered if one["id"] == won), []),
            "images": [vars(image) for image in shared],
            "chosen": _side(row, "chosen", own[:first]),
            "rejected": _side(row, "rejected", own[first:]),
            "weight": _finite(row.get("weight")),
            "candidates": [_candidate(one, won, lost) for one in offered],
            "regions": [_region(one) for one in around.regions.get(_image_id(row, example), ())],
        }


def _image_id(row: Row, example: Example | None) -> str:
    return example.image_id if example else str(row["example_id"]).rpartition("-")[0]


def _side(row: Row, side: str, own: Sequence[Shown]) -> dict[str, Any]:
    region = row.get(f"{side}_region")
    return {
        "text": row[side],
        "score": _finite(row.get(f"{side}_score")),
        "finish": row.get(f"{side}_finish"),
        "images": [vars(image) for image in own],
        "region": _region(region) if region and len(region["box"]) == 4 else None,
    }


def _candidate(row: Row, won: str | None, lost: str | None) -> dict[str, Any]:
    region = row.get("region")
    return {
        "id": row["id"],
        "text": row["text"],
        "score": _finite(row["score"]),
        "finish": row["finish"],
        "source": row.get("source") or "policy",
        "region": _region(region) if region and len(region["box"]) == 4 else None,
        "judges": [
            {"judge": score["judge"]} | {name: _finite(score[name]) for name in ("own", "next")}
            for score in row["judge_scores"] or ()
        ],
        "lookahead": list(row["lookahead"] or ()),
        "side": "chosen" if row["id"] == won else "rejected" if row["id"] == lost else "",
    }


def _region(stored: Row) -> dict[str, Any]:
    """Return a region; its box is empty for a hypothesis without one."""
    return {
        "hypothesis": stored["hypothesis"],
        "box": list(stored["box"] or ()),
        "confidence": _finite(stored["confidence"]),
    }


def _finite(value: float | None) -> float | None:
    """Return a number that JSON has: rows of others may hold NaN."""
    return value if value is not None and math.isfinite(value) else None


def _prompt(row: Row) -> str:
    return "\n".join(_text(read_content(message["content"])) for message in row.get("prompt") or ())


def _text(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else " ".join(block.get("text", "") for block in content).strip()


def question_of(row: Row) -> str:
    """Return the question of a pair whose example is not at hand: the first line of its prompt."""
    return _prompt(row).partition("\n")[0]
