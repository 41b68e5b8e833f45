"""Parquet files of a round -> the dataset a trainer reads, checked before any model is loaded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import Dataset, Image, List

from clincot.errors import DataError
from clincot.objectives.collator import PairCollator
from clincot.objectives.packing import MEMBERS, NotShareable, RowsCollator
from clincot.objectives.sides import Renderer
from clincot.rows.stored_messages import read_content

NEEDED = ("id", "prompt", "images", "chosen", "rejected")
SCORES = ("chosen_score", "rejected_score")
REFERENCE = ("ref_chosen_logp", "ref_rejected_logp")
PROBES = 4


def load_rows(paths: Sequence[Path], cache: Path, *, scores: bool, reference: bool) -> Dataset:
    """Read a round's rows with undecoded images; `cache` holds a memory-mapped copy.

    Raises DataError when columns that the objective needs are absent, scores are null, or there are no rows. A null
    reference is allowed: the trainer computes it.
    """
    needed = (*NEEDED, *(SCORES if scores else ()), *(REFERENCE if reference else ()))
    if not paths:
        raise DataError("rows: no parquet file was given. Build the round first.")
    for path in paths:
        _check_columns(path, needed)
    if not sum(pq.read_metadata(path).num_rows for path in paths):
        raise DataError(
            f"{_names(paths)}: no preference pairs. Build the round with a smaller min_gap or more questions."
        )
    rows = _read(paths, cache)
    if scores:
        _check_scores(rows)
    return rows


def check_placeholders(rows: Dataset, renderer: Renderer) -> None:
    """Raise DataError when a prompt asks for other images than its row holds; no image is read.

    Prompts of plain text pass: TRL puts the blocks in.
    """
    shared, own = _images(rows, "images"), [_own_images(rows, side) for side in ("chosen", "rejected")]
    for i, prompt in enumerate(rows["prompt"]):
        read = [read_content(message["content"]) for message in prompt]
        contents = [content for content in read if not isinstance(content, str)]
        asked = sum(block["type"] == "image" for content in contents for block in content)
        counts = renderer.counts(shared[i], own[0][i], own[1][i], asked)
        for side, has in zip(("chosen", "rejected"), counts, strict=True):
            if contents and has[0] != has[1]:
                raise DataError(
                    f"row {rows[i]['id']}: the prompt asks for {has[1]} images and the {side} side has {has[0]}."
                    " Build the dataset again, or train with conditioning=global."
                )


def _own_images(rows: Dataset, side: str) -> list[int]:
    """Return how many separate images a side has in each row (objectives/sides.py reads them so)."""
    both, apart = _images(rows, "side_images"), _images(rows, f"{side}_images")
    said = rows[name] if (name := f"{side}_images_count") in rows.column_names else [None] * len(rows)
    return [
        count if count is not None else 1 if two else alone for count, two, alone in zip(said, both, apart, strict=True)
    ]


def _images(rows: Dataset, name: str) -> list[int]:
    """Return how many images a column holds in each row."""
    if name not in rows.column_names:
        return [0] * len(rows)
    return [count or 0 for count in _kept(rows, pc.list_value_length(rows.data.column(name)))]


def _kept(rows: Dataset, values: pa.ChunkedArray) -> list[Any]:
    """Return a column's values of the rows that were kept; `rows.data` has the dropped ones too."""
    kept = rows._indices
    found: list[Any] = (values if kept is None else values.take(kept.column(0))).to_pylist()
    return found


def check_budget(rows: Dataset, collator: PairCollator) -> int:
    """Return the most tokens of a side, counted by the processor on the rows likeliest to be the longest.

    Raises DataError when a side exceeds the collator's budget. Rows outside the probe meet the same check in training.
    """
    length = _lengths(rows, max)
    longest = sorted(range(len(rows)), key=lambda i: -length[i])[:PROBES]
    return max(int(collator([rows[i]])["attention_mask"].sum(1).max()) for i in longest)


def batch_tokens(elements: Dataset, collator: RowsCollator, size: int) -> int:
    """Return the tokens, padding included, of a batch of the `size` elements likeliest to be the longest."""
    source = collator.source
    length = _lengths(elements if source is None else source, sum)
    if source is not None:
        length = [sum(length[row] for row in members) for members in elements[MEMBERS]]
    longest = sorted(range(len(elements)), key=lambda i: -length[i])[:size]
    try:
        return int(collator([elements[i] for i in longest])["input_ids"].numel())
    except NotShareable:
        plain = dataclasses.replace(collator, layout="pair")
        return int(plain([elements[i] for i in longest])["input_ids"].numel())


def _lengths(rows: Dataset, of_both: Callable[[tuple[int, int]], int]) -> list[int]:
    """Return each row's characters: of its prompt and of both sides' texts, taken together by `of_both`."""
    texts = rows.select_columns(["prompt", "chosen", "rejected"])
    return [len(str(r["prompt"])) + of_both((len(r["chosen"] or ""), len(r["rejected"] or ""))) for r in texts]


def _check_columns(path: Path, needed: Iterable[str]) -> None:
    try:
        present = set(pq.read_schema(path).names)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path.name}: cannot be read as parquet ({error}). Build or download it again.") from error
    missing = [name for name in needed if name not in present]
    if not {"side_images", "chosen_images"} & present:
        missing.append("side_images")
    if missing:
        raise DataError(
            f"{path.name}: not a preference dataset, lacks {', '.join(missing)} (it has {', '.join(sorted(present))})."
            " Name a dataset that `clincot build-data` wrote."
        )


def _check_scores(rows: Dataset) -> None:
    for name in SCORES:
        empty = rows.data.column(name).null_count
        if empty:
            raise DataError(
                f"rows: {name} is null in {empty} of {len(rows)} rows. Train with train.margin.kind=none or"
                " build the dataset again."
            )


def _read(paths: Sequence[Path], cache: Path) -> Dataset:
    rows: Any = Dataset.from_parquet([str(path) for path in paths], cache_dir=str(cache))
    # The build decodes with clincot.images; `datasets` would decode 16-bit and palette images otherwise.
    for name in {"images", "side_images", "chosen_images", "rejected_images"} & set(rows.column_names):
        rows = rows.cast_column(name, List(Image(decode=False)))
    return rows


def stored_rows(rows: Dataset) -> int:
    """Return how many rows carry both reference log-probabilities."""
    both = zip(*(_kept(rows, rows.data.column(name).is_null()) for name in REFERENCE), strict=True)
    return sum(not chosen and not rejected for chosen, rejected in both)


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)
