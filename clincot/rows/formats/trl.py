"""TRL's vision preference format: prompt, chosen and rejected as turns or texts, `images` next to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from clincot.rows.formats.base import OtherPair, Row
from clincot.rows.formats.turns import common, images_of, number_of, prompt_of, refuse_media, safe, text_of, turns_of

BATCH = 64


class Trl:
    """https://huggingface.co/docs/trl/dataset_formats, "preference"; a prompt may be the beginning of both answers."""

    name, title = "trl", "TRL's vision preference format"
    needs = (frozenset({"prompt", "chosen", "rejected"}), frozenset({"chosen", "rejected"}))
    knows = frozenset({"images", "image", "weight", "margin", "id"})
    per_side, embeds, in_text, leaks = False, True, False, False

    def read(self, row: Row) -> OtherPair:
        refuse_media(row)
        images = images_of(row, "images", "image")
        prompt, chosen, rejected = row.get("prompt"), row["chosen"], row["rejected"]
        if prompt is None:
            chosen, rejected = turns_of(chosen), turns_of(rejected)
            shared = min(common(chosen, rejected), len(chosen) - 1, len(rejected) - 1)
            turns, chosen, rejected = chosen[:shared], chosen[shared:], rejected[shared:]
        else:
            turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else turns_of(prompt)
        return OtherPair(
            prompt_of(turns, len(images)),
            images,
            text_of(chosen),
            text_of(rejected),
            weight=number_of(row, "weight"),
            margin=number_of(row, "margin"),
        )

    def write(self, pair: OtherPair, number: int) -> dict[str, Any]:
        return {
            "prompt": [turn | {"content": safe(turn["content"])} for turn in pair.prompt],
            "images": [*pair.images, *pair.chosen_images],
            "chosen": [{"role": "assistant", "content": safe(pair.chosen)}],
            "rejected": [{"role": "assistant", "content": safe(pair.rejected)}],
            "weight": pair.weight,
            "margin": pair.margin,
        }

    def save(self, rows: Iterable[dict[str, Any]], folder: Path) -> None:
        from datasets import Features, Image, Json, List, Value

        from clincot.rows.schema import table, write_parquet

        said = List({"role": Value("string"), "content": Value("string")})
        features = Features(
            {
                "prompt": List({"role": Value("string"), "content": Json()}),
                "images": List(Image()),
                "chosen": said,
                "rejected": said,
                "weight": Value("float32"),
                "margin": Value("float32"),
            }
        )
        write_parquet((table(some, features) for some in _batches(rows)), folder / "train.parquet", features)

    def use(self, folder: Path) -> str:
        return f'rows = load_dataset("parquet", data_files="{folder}/train.parquet", split="train")'


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    left = iter(rows)
    while some := list(islice(left, BATCH)):
        yield some
