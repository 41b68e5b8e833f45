"""LLaVA's JSON as POVID and SIMA extend it: `conversations` with the preferred answer, `rejected_conversations`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from clincot.records import Message
from clincot.rows.files import write_list
from clincot.rows.formats.base import OtherPair, Row, UnfitRow
from clincot.rows.formats.turns import MARK, images_of, marked, named, number_of, prompt_of, safe, text_of, turns_of


class Llava:
    """Marks count as before their turn's text, where LLaVA moves them; spaces around answers are LLaVA's own."""

    name, title = "llava", "LLaVA's format (POVID, SIMA)"
    needs: tuple[frozenset[str], ...] = (
        frozenset({"conversations", "rejected_conversations"}),
        frozenset({"conversations", "chosen", "rejected"}),
    )
    knows = frozenset({"image", "images", "id", "weight", "margin"})
    weight = "weight"
    per_side, embeds, in_text, leaks = False, False, False, False

    def read(self, row: Row) -> OtherPair:
        images, turns = images_of(row, "image", "images"), turns_of(row["conversations"])
        if "rejected_conversations" in row:
            turns, chosen, rejected = _both(turns, turns_of(row["rejected_conversations"]))
        else:
            chosen, rejected = text_of(row["chosen"]), text_of(row["rejected"])
        return OtherPair(
            prompt_of(turns, len(images), before=True, unmarked=False),
            images,
            chosen.strip(),
            rejected.strip(),
            weight=number_of(row, self.weight),
            margin=number_of(row, "margin"),
        )

    def write(self, pair: OtherPair, number: int) -> dict[str, Any]:
        asked, images = named(_broken(marked(pair))), [*pair.images, *pair.chosen_images]
        found: dict[str, Any] = {"id": number}
        if images:
            found["image"] = images[0] if len(images) == 1 else images
        found["conversations"] = [*asked, {"from": "gpt", "value": safe(pair.chosen)}]
        found["rejected_conversations"] = [*asked, {"from": "gpt", "value": safe(pair.rejected)}]
        return found if pair.weight is None else found | {self.weight: pair.weight}

    def save(self, rows: Iterable[dict[str, Any]], folder: Path) -> None:
        write_list(rows, folder / "train.json")

    def use(self, folder: Path) -> str:
        return f"--data_path {folder}/train.json --image_folder {folder}"


def _both(turns: list[Message], others: list[Message]) -> tuple[list[Message], str, str]:
    if turns[:-1] != others[:-1]:
        raise UnfitRow("whose sides have different prompts")
    return turns[:-1], text_of(turns[-1]), text_of(others[-1])


def _broken(turns: list[Message]) -> list[Message]:
    """Return turns with LLaVA's line break between the marks and the text."""
    return [turn | {"content": _line(turn["content"])} for turn in turns]


def _line(text: str) -> str:
    rest = text.split(MARK)[-1]
    return f"{text.removesuffix(rest)}\n{rest}" if MARK in text else text
