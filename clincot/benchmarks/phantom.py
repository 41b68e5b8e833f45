"""A snapshot of a version of clincot/phantom -> examples about drawn radiographs whose findings and boxes are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from clincot.benchmarks.base import Source
from clincot.benchmarks.reading import ImageStore, batches, checked, open_parquet
from clincot.errors import DataError, did_you_mean
from clincot.records import Box, Example, TrueRegion

COLUMNS = ("id", "image_id", "image", "question", "answer", "answer_type", "kind", "report", "findings")


class Phantom:
    """The embedded benchmark; `clincot phantom draw` makes its repository."""

    source = Source(
        name="phantom",
        repo="clincot/phantom",
        revision="main",
        licence="cc0-1.0",
        redistributable=True,
        modality="phantom",
        privacy="public",
    )
    patterns: tuple[str, ...] = ("data/*.parquet", "README.md")
    splits: Mapping[str, str] = {"train": "train", "validation": "validation", "test": "test"}

    def examples(self, folder: Path, split: str) -> list[Example]:
        """Return the examples of `split` in the order of the files; raise DataError for what is missing."""
        if split not in self.splits:
            raise DataError(f"{self.source.name}: no split {split!r}.{did_you_mean(split, self.splits)}")
        paths = sorted((folder / "data").glob(f"{self.splits[split]}-*.parquet"))
        if not paths:
            raise DataError(f"{folder}: no data/{split}-*.parquet. Draw the benchmark with `clincot phantom draw`.")
        images = ImageStore()
        return checked([self._example(row, images) for path in paths for row in _rows(path)], self.source, split)

    def _example(self, row: dict[str, Any], images: ImageStore) -> Example:
        return Example(
            id=row["id"],
            image_id=row["image_id"],
            image=images.named(row["image_id"], row["image"]["bytes"]),
            question=row["question"],
            answer=row["answer"],
            answer_type=row["answer_type"],
            kind=row["kind"],
            modality=self.source.modality,
            reference=_reference(row),
            true_regions=tuple(TrueRegion(f["finding"], Box(*f["box"])) for f in row["findings"]),
        )


class PhantomV2(Phantom):
    """The second world of the embedded benchmark; `clincot phantom draw --version 2` makes its repository."""

    source = replace(Phantom.source, name="phantom-v2", repo="clincot/phantom-v2")


def _reference(row: dict[str, Any]) -> str:
    """Return what a judge may see: the report, and before it the answer, which a bare "yes" cannot be read from it.

    With the report alone the embedded judges rank .98 and .77 of bare yes/no pairs right, of all pairs about presence
    .99 and .98 (clincot/phantom/models/judge-a and judge-b).
    """
    return row["report"] if row["answer_type"] == "report" else f"Answer: {row['answer']}. Report: {row['report']}"


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    table = open_parquet(path)
    lacking = [name for name in COLUMNS if name not in table.schema_arrow.names]
    if lacking:
        raise DataError(f"{path}: lacks the columns {', '.join(lacking)}. Pull or draw the benchmark again.")
    return batches(table, path, columns=list(COLUMNS))
