"""A seed and three sizes -> the phantom benchmark as Hub files: one parquet file per split and a dataset card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from clincot.errors import DataError
from clincot.phantom import parquet
from clincot.phantom.dataset_card import dataset_card
from clincot.phantom.drawing.draw import RANGES, draw, png
from clincot.phantom.texts.questions import questions, report
from clincot.phantom.v2 import dataset as second
from clincot.progress import bar

SPLITS = ("train", "validation", "test")
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Version:
    """A world of phantoms: the rows of an image by seed and index, their columns, and the card."""

    rows: Callable[[int, int], Rows]
    columns: pa.Schema
    card: Callable[[int, Mapping[str, int], Mapping[str, int]], str]


def phantom_files(
    folder: Path, *, seed: int, train: int, validation: int, test: int, version: int = 1
) -> dict[str, Path]:
    """Draw so many images per split and write the repository's files under `folder`.

    Returns path in the repository -> file. Equal arguments give equal bytes with equal package versions. Raises
    DataError when a split would run into the next one's images, or for an unknown version.
    """
    if version not in VERSIONS:
        raise DataError(f"phantom: no version {version}. Ask for {' or '.join(map(str, VERSIONS))}.")
    world = VERSIONS[version]
    sizes = {"train": train, "validation": validation, "test": test}
    room = RANGES["validation"] - RANGES["train"]
    files: dict[str, Path] = {}
    counts: dict[str, int] = {}
    for split in SPLITS:
        if not 0 < sizes[split] <= room:
            raise DataError(f"phantom {split}: {sizes[split]} images. Ask for 1 to {room:,}.")
        name = f"data/{split}-00000-of-00001.parquet"
        files[name] = folder / name
        counts[split] = parquet.write_rows(files[name], _drawn(world, seed, split, sizes[split]), world.columns)
    files["README.md"] = folder / "README.md"
    files["README.md"].write_text(world.card(seed, sizes, counts), encoding="utf-8")
    return files


def image_rows(seed: int, index: int) -> Rows:
    """Return the rows of one image of version 1: about five questions that share its bytes."""
    phantom = draw(seed, index)
    image_id = f"phantom-{seed}-{index:07d}"
    shared = {
        "image_id": image_id,
        "image": {"bytes": png(phantom), "path": f"{image_id}.png"},
        "report": report(phantom.findings),
        "findings": [{"finding": f.name, "box": list(f.box)} for f in phantom.findings],
    }
    return [
        {
            "id": f"{image_id}-{number}",
            "question": question.text,
            "answer": question.answer,
            "answer_type": question.answer_type,
            "kind": question.kind,
            **shared,
        }
        for number, question in enumerate(questions(phantom))
    ]


def _drawn(world: Version, seed: int, split: str, images: int) -> Iterator[Rows]:
    with bar("drawing", images, "images") as advance:
        for index in range(RANGES[split], RANGES[split] + images):
            yield world.rows(seed, index)
            advance(1)


VERSIONS = {
    1: Version(image_rows, parquet.COLUMNS, dataset_card),
    2: Version(second.image_rows, second.COLUMNS, second.dataset_card),
}
