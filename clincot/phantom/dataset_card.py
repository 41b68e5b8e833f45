"""Sizes of the drawn splits and what they hold -> the card of a phantom dataset, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping

ABOUT = """# Phantom chest radiographs

Drawn frontal chest radiographs (256 x 256, grey) with questions, answers, reports and the boxes of what was drawn.
Nothing in it comes from a patient. It exists to test region-grounded methods where the truth is known: each image has
none, one or two findings (25 / 50 / 25 %) among nodule, consolidation, effusion, pneumothorax and cardiomegaly, and a
nodule is hard to see in a small view of the image and plain in a crop.
"""
KINDS = "presence, open, side, zone, normal or report"
ANSWERS = '"yes", "left", "left upper zone", "nodule and effusion"'
BALANCE = '"yes" and "no" are equally frequent for every finding and for "is this normal?".'
CARD = """---
license: cc0-1.0
pretty_name: {title}
language:
- en
task_categories:
- visual-question-answering
- image-to-text
tags:
- clincot
- synthetic
- chest-x-ray
size_categories:
- {size}
configs:
- config_name: default
  data_files:
{files}
---

{about}
**Not for clinical use.**

| split | images | rows |
|---|---|---|
{table}

One row is one question. Rows are grouped by image, and no image is in two splits.

| column | what it holds |
|---|---|
| `id`, `image_id` | names of the row and of its image |
| `image` | the radiograph, PNG; the patient's left is on the right, as radiographs are shown |
| `question`, `answer` | natural wording; answers such as {answers} |
| `answer_type` | closed, open or report |
| `kind` | {kinds} |
| `report` | the report of the image |
| `findings` | name and box (left, upper, right, lower; half-open pixels) of each finding |
{more}
{balance} Made with

```
{command}
```

The same seed and sizes give the same images and rows. Public domain (CC0 1.0).
"""


def dataset_card(seed: int, images: Mapping[str, int], rows: Mapping[str, int]) -> str:
    """Render the card of version 1 for `images` and `rows` per split."""
    return render(
        ABOUT,
        images,
        rows,
        kinds=KINDS,
        answers=ANSWERS,
        balance=BALANCE,
        command=f"clincot phantom draw --seed {seed}",
    )


def render(
    about: str,
    images: Mapping[str, int],
    rows: Mapping[str, int],
    *,
    kinds: str,
    answers: str,
    balance: str,
    command: str,
    more: str = "",
) -> str:
    """Render a card.

    `about` begins with its title; `more`: rows of further columns; `balance`: how frequent the answers are.
    """
    return CARD.format(
        size=_size(sum(rows.values())),
        files="\n".join(f"  - split: {split}\n    path: data/{split}-*" for split in images),
        table="\n".join(f"| {split} | {images[split]:,} | {rows[split]:,} |" for split in images),
        title=about.splitlines()[0].removeprefix("# "),
        about=about,
        kinds=kinds,
        answers=answers,
        balance=balance,
        command=command,
        more=more,
    )


def _size(rows: int) -> str:
    for limit, name in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K")):
        if rows < limit:
            return name
    return "100K<n<1M"
