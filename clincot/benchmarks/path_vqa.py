"""A snapshot of PathVQA's Hub copy (image, question, answer) -> examples; answer types are inferred from the answers.

The copy has none: yes and no are closed, everything else is open. The images are the publishers' of the books they
come from, under any licence of the questions, so nothing of them is passed on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clincot.benchmarks.base import Source
from clincot.benchmarks.reading import ImageStore, checked, image_name, name_of, parquet_rows, text_of
from clincot.records import Example


class PathVqa:
    """flaviagiammarino/path-vqa: 19,654 / 6,259 / 6,719 questions about pathology images."""

    source = Source(
        "path-vqa",
        "flaviagiammarino/path-vqa",
        "main",
        "mit",
        redistributable=False,
        modality="pathology",
        privacy="public",
        sizes={"train": 19654, "validation": 6259, "test": 6719},
        sha="1685832883334b5bb5beaf4e4b333fdeecaa4ad9",
    )
    patterns = ("data/*.parquet", "README.md")
    splits = {"train": "train", "validation": "validation", "test": "test"}

    def examples(self, folder: Path, split: str) -> list[Example]:
        """Read `data/SPLIT-*.parquet`; ids are `path-vqa/SPLIT/ROW`, the kind is the first word of the question."""
        name, images = name_of(split, self.source, self.splits), ImageStore()
        rows = parquet_rows(folder, f"data/{name}-*.parquet", ("image", "question", "answer"), self.source)
        examples = [_example(row, f"path-vqa/{split}/{i}", images) for i, row in enumerate(rows)]
        return checked(examples, self.source, split)


def _example(row: dict[str, Any], id: str, images: ImageStore) -> Example:
    question, answer = (text_of(row, column, id) for column in ("question", "answer"))
    image_id, image = images.keep(row["image"], id)
    closed = answer.strip().lower() in {"yes", "no"}
    kind = question.split()[0].lower()
    return Example(
        id=id,
        image_id=image_id,
        image=image,
        question=question,
        answer=answer,
        answer_type="closed" if closed else "open",
        kind=kind,
        modality="pathology",
        reference=answer,
        image_name=image_name(row["image"], id),
    )
