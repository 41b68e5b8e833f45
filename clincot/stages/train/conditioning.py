"""Rows of a round and `train.conditioning` -> an error where the rows give it no meaning; no image is read."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset

from clincot.errors import DataError
from clincot.recipe import Conditioning
from clincot.rows.odd_texts import same_words

REGIONS = ("chosen_region", "rejected_region")
TEXTS = ("chosen", "rejected")
COUNTS = ("chosen_images_count", "rejected_images_count")


def check_conditioning(rows: Dataset, conditioning: Conditioning) -> None:
    """Raise DataError for the first row whose sides do not differ by crop, unless each side keeps its own images.

    `winner` shows the chosen side's crop to both sides and `global` shows none. Where a side has another image than a
    crop, such as a corrupted copy, this image is what the pair is about; where no side has one, there is no choice.
    """
    if conditioning == "per_side":
        return
    odd = next((i for i, own in enumerate(_of_crops(rows)) if not own), None)
    if odd is not None:
        raise DataError(
            f"row {rows[odd]['id']}: train.conditioning={conditioning} is for pairs whose sides have one crop each,"
            " and these do not. Set train.conditioning=per_side."
        )


def shows_crops(rows: Dataset) -> bool:
    """Say whether a pair's sides differ by crop, so that `train.conditioning` decided what a text was trained with."""
    return any(_of_crops(rows))


def _of_crops(rows: Dataset) -> list[bool]:
    """Return for each row whether its texts differ and each side has one separate image, which shows a region."""
    table = rows.select_columns(
        [name for name in ("side_images", *TEXTS, *REGIONS, *COUNTS) if name in rows.column_names]
    )
    table = table.with_format("arrow")
    found: list[bool] = []
    for batch in table.iter(batch_size=1000):
        found += _of_batch(batch)
    return found


def _of_batch(batch: pa.Table) -> list[bool]:
    names, size = batch.column_names, len(batch)
    if "side_images" not in names or any(name not in names for name in REGIONS):
        return [False] * size
    pairs: Any = pc.equal(pc.list_value_length(batch["side_images"]), 2)
    held = [pc.fill_null(pairs, False)]
    held += [pc.is_valid(pc.struct_field(batch[name], "hypothesis")) for name in REGIONS]
    # Rows of older versions have no counts: one image a side.
    held += [pc.fill_null(pc.equal(batch[name], 1), True) for name in COUNTS if name in names]
    held.append(
        pa.array(not same_words(*both) for both in zip(*(batch[name].to_pylist() for name in TEXTS), strict=True))
    )
    return [all(row) for row in zip(*(column.to_pylist() for column in held), strict=True)]
