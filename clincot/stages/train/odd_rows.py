"""Preference rows -> those that can teach a preference; others are dropped and counted by rule, or refused by name."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset

from clincot.errors import DataError
from clincot.objectives.sides import crops
from clincot.recipe import Conditioning
from clincot.rows.odd_texts import EMPTY, EQUAL, WEIGHT, words

Row = Mapping[str, Any]
TEXTS = ("chosen", "rejected")
READ = ("id", "prompt", *TEXTS, "chosen_score", "rejected_score", "weight")
WORSE = "whose chosen score is below the rejected one"
COUNTS = ("chosen_images_count", "rejected_images_count")
IMAGES = ("images", "side_images", "chosen_images", "rejected_images")
REWEIGH = "Give some a weight above 0, or build the dataset again."
AGAIN = "Remove the row, or build the dataset again."


class DroppedRows(UserWarning):
    """Rows that no preference can be learned from are left out of training."""


def keep_rows(
    rows: Dataset, where: str, *, conditioning: Conditioning = "per_side", say: bool = True
) -> tuple[Dataset, dict[str, int]]:
    """Return the rows to train on, in their order, and how many were dropped by which rule; warns of these.

    Equal texts hold a preference where each side keeps its own images and these differ. Raises DataError naming the row
    for a text, prompt or image that is missing, and when no row is left or all weights are 0.
    """
    _check_kinds(rows, where)
    _check_images(rows)
    dropped: Counter[str] = Counter()
    kept, weighed = [], False
    for number, row in enumerate(rows.select_columns([name for name in READ if name in rows.column_names])):
        rule = _rule(row)
        if rule == EQUAL and conditioning == "per_side" and _apart(rows[number]):
            rule = _rule_of_numbers(row)
        if rule is None:
            kept.append(number)
            weighed |= row.get("weight") != 0
        else:
            dropped[rule] += 1
    if kept and not weighed:
        raise DataError(f"{where}: the weights of all {len(kept)} pairs are 0, so they would teach nothing. {REWEIGH}")
    if not dropped:
        return rows, {}
    reasons = "; ".join(f"{count} {rule}" for rule, count in sorted(dropped.items()))
    if not kept:
        other = "" if conditioning == "per_side" else ", or train with train.conditioning=per_side"
        raise DataError(f"{where}: no pair is left of {len(rows)}: {reasons}. Build the dataset again{other}.")
    if say:
        message = f"{where}: {dropped.total()} of {len(rows)} pairs are not trained on: {reasons}."
        warnings.warn(message, DroppedRows, stacklevel=2)
    return rows.select(kept), dict(sorted(dropped.items()))


def _rule(row: Row) -> str | None:
    """Return the rule by which the row is dropped, or None. Raises DataError naming it when something is missing."""
    name = f"row {row['id']}"
    _check_prompt(row["prompt"], name)
    for side in TEXTS:
        if row[side] is None:
            raise DataError(f"{name}: its {side} text is null. {AGAIN}")
    chosen, rejected = (words(row[side]) for side in TEXTS)
    if not chosen or not rejected:
        return EMPTY
    if chosen == rejected:
        return EQUAL
    return _rule_of_numbers(row)


def _rule_of_numbers(row: Row) -> str | None:
    """Return the rule by which scores and weight drop a row, or None."""
    high, low = (row.get(f"{side}_score") for side in TEXTS)
    if high is not None and low is not None and high < low:
        return WORSE
    weight = row.get("weight")
    return WEIGHT if weight is not None and not (math.isfinite(weight) and weight >= 0) else None


def _apart(row: Row) -> bool:
    """Return whether the sides have images that differ, by their bytes."""
    chosen, rejected = ([image["bytes"] for image in crops(row, side)] for side in TEXTS)
    return chosen != rejected


def _check_prompt(prompt: Any, name: str) -> None:
    if not prompt:
        raise DataError(f"{name}: its prompt is {'null' if prompt is None else 'empty'}. {AGAIN}")
    for message in prompt:
        if message is None or message.get("content") is None or message.get("role") is None:
            raise DataError(f"{name}: a turn of its prompt has no role or no content. {AGAIN}")


def _check_kinds(rows: Dataset, where: str) -> None:
    """Raise DataError for a file whose columns hold other kinds of values than preference pairs have."""
    prompt = rows.data.schema.field("prompt").type
    if pa.types.is_string(prompt) or pa.types.is_large_string(prompt):
        raise DataError(f"{where}: prompt is text, not messages. Write it as a list of role and content.")
    for side in TEXTS:
        kind = rows.data.schema.field(side).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
            raise DataError(f"{where}: {side} is {kind}, not text. Write the answer alone, without role and content.")
    for name in ("chosen_score", "rejected_score", "weight"):
        if name in rows.column_names and not _is_number(rows.data.schema.field(name).type):
            raise DataError(f"{where}: {name} is {rows.data.schema.field(name).type}, not a number. Write numbers.")


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind))


def _check_images(rows: Dataset) -> None:
    """Raise DataError naming a row with an image without bytes or one side's own image missing; decodes nothing."""
    for name in IMAGES:
        if name not in rows.column_names:
            continue
        start = 0
        for chunk in rows.data.column(name).chunks:
            at = _without_bytes(chunk)
            if at is not None:
                where = f"row {rows[start + at]['id']}"
                raise DataError(f"{where}: an image has no bytes. Embed the images when writing the dataset.")
            start += len(chunk)
    _check_counts(rows)


def _check_counts(rows: Dataset) -> None:
    """Raise DataError for a row whose sides' images are not as many as it says, or 2 where it does not say."""
    if "side_images" not in rows.column_names:
        return
    start = 0
    for batch in rows.data.select(
        [name for name in ("side_images", *COUNTS) if name in rows.column_names]
    ).to_batches():
        held = pc.list_value_length(batch["side_images"])
        fits = pc.is_in(held, pa.array([0, 2, None], held.type))
        if all(name in batch.schema.names for name in COUNTS):
            fits = pc.coalesce(pc.equal(held, pc.add(*(batch[name] for name in COUNTS))), fits)
        odd = pc.index(fits, False).as_py()
        if odd >= 0:
            row = rows.data.slice(start + odd, 1).select(["id", *(n for n in COUNTS if n in rows.column_names)])
            said = sum(row[name][0].as_py() or 0 for name in row.column_names[1:]) or 2
            where = f"row {row['id'][0].as_py()}"
            raise DataError(
                f"{where}: side_images holds {held[odd].as_py()} images, not {said}. Build the dataset again."
            )
        start += len(batch)


def _without_bytes(images: pa.Array) -> int | None:
    """Return the first place of a list of images in which one has no bytes."""
    lengths = pc.binary_length(pc.struct_field(pc.list_flatten(images), "bytes"))
    places = pc.filter(pc.list_parent_indices(images), pc.fill_null(pc.equal(lengths, 0), True))
    return int(places[0].as_py()) if len(places) else None
