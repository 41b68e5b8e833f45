"""LLaMA-Factory's ranking rows: sharegpt turns (or an instruction), `chosen`, `rejected` and `images`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from clincot.rows.files import write_list
from clincot.rows.formats.base import OtherPair, Row
from clincot.rows.formats.turns import (
    images_of,
    marked,
    named,
    number_of,
    prompt_of,
    refuse_media,
    safe,
    text_of,
    turns_of,
)

ANSWERS = frozenset({"chosen", "rejected"})
NAME = "clincot"  # of the dataset in dataset_info.json


class LlamaFactory:
    """Texts have a mark for each image; LLaMA-Factory refuses rows whose marks are not as many as their images."""

    name, title = "llamafactory", "LLaMA-Factory's format"
    needs = tuple(ANSWERS | {turns} for turns in ("conversations", "messages", "instruction"))
    knows = frozenset({"images", "image", "system", "input", "weight", "margin", "id"})
    per_side, embeds, in_text, leaks = False, False, True, False

    def read(self, row: Row) -> OtherPair:
        refuse_media(row)
        images = images_of(row, "images", "image")
        if "instruction" in row:
            asked = "\n".join(text for text in (row["instruction"], row.get("input")) if text)
            turns = [{"role": "user", "content": asked}]
        else:
            turns = turns_of(row["conversations"] if "conversations" in row else row["messages"])
        if row.get("system"):
            turns = [{"role": "system", "content": row["system"]}, *turns]
        return OtherPair(
            prompt_of(turns, len(images), unmarked=False),
            images,
            text_of(row["chosen"]),
            text_of(row["rejected"]),
            weight=number_of(row, "weight"),
            margin=number_of(row, "margin"),
        )

    def write(self, pair: OtherPair, number: int) -> dict[str, Any]:
        found = {
            "conversations": named(marked(pair)),
            "chosen": {"from": "gpt", "value": safe(pair.chosen)},
            "rejected": {"from": "gpt", "value": safe(pair.rejected)},
            "images": [*pair.images, *pair.chosen_images],
        }
        return found if pair.weight is None else found | {"weight": pair.weight}

    def save(self, rows: Iterable[dict[str, Any]], folder: Path) -> None:
        write_list(rows, folder / "train.json")
        columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "images": "images"}
        entry = {"file_name": "train.json", "formatting": "sharegpt", "ranking": True, "columns": columns}
        (folder / "dataset_info.json").write_text(json.dumps({NAME: entry}, indent=1) + "\n", encoding="utf-8")

    def use(self, folder: Path) -> str:
        return f"llamafactory-cli train --stage dpo --dataset {NAME} --dataset_dir {folder} --media_dir {folder}"
