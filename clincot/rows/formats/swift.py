"""ms-swift's rows: `messages` that end with the preferred answer, `rejected_response`, and images on each side."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from clincot.rows.files import write_lines
from clincot.rows.formats.base import OtherPair, Row, UnfitRow
from clincot.rows.formats.turns import (
    common,
    images_of,
    marked,
    number_of,
    prompt_of,
    refuse_media,
    safe,
    text_of,
    turns_of,
)


class Swift:
    """Both sides have `images`, unless `rejected_images` are given: these are all images of the rejected side."""

    name, title = "swift", "ms-swift's format"
    needs = (frozenset({"messages", "rejected_response"}), frozenset({"messages", "rejected_messages"}))
    knows = frozenset({"images", "image", "rejected_images", "system", "weight", "margin", "channel", "id"})
    per_side, embeds, in_text, leaks = True, False, True, False

    def read(self, row: Row) -> OtherPair:
        refuse_media(row)
        turns, system = turns_of(row["messages"]), row.get("system")
        if system:
            turns = [{"role": "system", "content": system}, *turns]
        chosen, other = images_of(row, "images", "image"), images_of(row, "rejected_images")
        rejected = other or chosen
        if len(chosen) != len(rejected):
            raise UnfitRow("whose sides have different numbers of images", f"{len(chosen)} and {len(rejected)}")
        shared = common(chosen, rejected)
        return OtherPair(
            prompt_of(turns[:-1], len(chosen)),
            chosen[:shared],
            text_of(turns[-1]),
            _rejected(row, turns),
            chosen[shared:],
            rejected[shared:],
            number_of(row, "weight"),
            number_of(row, "margin"),
        )

    def write(self, pair: OtherPair, number: int) -> dict[str, Any]:
        found = {
            "messages": [*marked(pair), {"role": "assistant", "content": safe(pair.chosen)}],
            "rejected_response": safe(pair.rejected),
            "images": [*pair.images, *pair.chosen_images],
        }
        if pair.rejected_images:
            found["rejected_images"] = [*pair.images, *pair.rejected_images]
        extra = {"margin": pair.margin, "weight": pair.weight}
        return found | {name: value for name, value in extra.items() if value is not None}

    def save(self, rows: Iterable[dict[str, Any]], folder: Path) -> None:
        write_lines(rows, folder / "train.jsonl")

    def use(self, folder: Path) -> str:
        return f"ROOT_IMAGE_DIR={folder} swift rlhf --rlhf_type dpo --dataset {folder}/train.jsonl --model MODEL"


def _rejected(row: Row, turns: list[dict[str, Any]]) -> str:
    if row.get("rejected_messages") is None:
        return text_of(row["rejected_response"])
    others = turns_of(row["rejected_messages"])
    if others[:-1] != [turn for turn in turns[:-1] if turn["role"] != "system" or turn in others]:
        raise UnfitRow("whose sides have different prompts")
    return text_of(others[-1])
