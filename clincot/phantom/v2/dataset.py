"""A seed and an index -> the rows of one image of version 2, their columns, and the card of the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from PIL import Image

from clincot.images import encode_png
from clincot.phantom.dataset_card import render
from clincot.phantom.parquet import COLUMNS as FIRST_COLUMNS
from clincot.phantom.parquet import FINDING
from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.objects import Thing
from clincot.phantom.v2.texts.answers import report
from clincot.phantom.v2.texts.questions import questions
from clincot.phantom.v2.texts.wording import ASKED

COLUMNS = FIRST_COLUMNS.append(pa.field("distractors", pa.list_(FINDING)))
ABOUT = """# Phantom chest radiographs, version 2

Drawn frontal chest radiographs (256 x 256, grey) with questions, answers, reports and the boxes of what was drawn.
Nothing in it comes from a patient. It exists to test region-grounded methods where the truth is known: an image has
none to four nodules (20 / 25 / 25 / 20 / 10 %) and two to five distractors (a vessel on end, crossing ribs, a nipple,
a skin fold). A distractor has the soft body of a nodule; the lines that tell it apart are absent from a view of the
image at 48 pixels and plain in a crop.
"""
KINDS = "presence, side, zone, larger, count, more, second, severity, box or report"
ANSWERS = '"yes", "left", "upper", "2", "severe"'
MORE = "| `distractors` | kind and box of each distractor |\n"
BALANCE = "Questions are sampled so that no answer of a kind leads by much."


def image_rows(
    seed: int, index: int, *, contrast: float = 1.0, wording: Mapping[str, Sequence[str]] = ASKED
) -> list[dict[str, Any]]:
    """Return the rows of one image: its questions share its bytes; an image may have none.

    `contrast` 0.8 and `wording` UNSEEN give the held-out sets: the same objects and answers, dimmer or asked in words
    that no model was trained on.
    """
    drawn = draw(seed, index, contrast=contrast)
    layout = drawn.layout
    asked = questions(layout, wording)
    if not asked:
        return []
    image_id = f"phantom-v2-{seed}-{index:07d}"
    shared = {
        "image_id": image_id,
        "image": {"bytes": encode_png(Image.fromarray(drawn.image)), "path": f"{image_id}.png"},
        "report": report(layout.lesions),
        "findings": [_boxed(thing) for thing in layout.lesions],
        "distractors": [_boxed(thing) for thing in layout.distractors],
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
        for number, question in enumerate(asked)
    ]


def _boxed(thing: Thing) -> dict[str, Any]:
    return {"finding": thing.kind, "box": list(thing.box)}


def dataset_card(seed: int, images: Mapping[str, int], rows: Mapping[str, int]) -> str:
    """Render the card for `images` and `rows` per split."""
    command = f"clincot phantom draw --version 2 --seed {seed}"
    return render(ABOUT, images, rows, kinds=KINDS, answers=ANSWERS, more=MORE, balance=BALANCE, command=command)
