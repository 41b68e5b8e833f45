"""A seed -> preference rows with the columns of a round, over drawn grey images."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from clincot.chain.prompts import finding_messages
from clincot.rows.schema import PAIR_FEATURES, table, write_parquet

TEXTS = ("The local image shows an effusion.", "Yes", "No", "The left lung is clear.", "A nodule in the left lung.")


def png(seed: int, mode: str = "L") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 36), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def region(seed: int) -> dict[str, Any]:
    return {"hypothesis": "nodule", "box": [0, 0, 36, 40], "confidence": seed % 10 / 10}


def make_row(index: int, **changes: Any) -> dict[str, Any]:
    """One row with a global image and a crop per side; `changes` replace columns."""
    random = np.random.default_rng(100 + index)
    chosen, rejected = random.choice(len(TEXTS), 2, replace=False)
    row = {name: None for name in PAIR_FEATURES}
    row |= {
        "id": f"row-{index}",
        "example_id": f"example-{index}",
        "round": 1,
        "step": 1,
        "method": "clincot",
        "prompt": finding_messages("Is there a nodule in the left lung?", ()),
        "images": [{"bytes": png(3 * index), "path": "a.png"}],
        "side_images": [{"bytes": png(3 * index + 1), "path": "b.png"}, {"bytes": png(3 * index + 2), "path": "c.png"}],
        "chosen": TEXTS[chosen],
        "rejected": TEXTS[rejected],
        "chosen_score": float(random.uniform(0.6, 1.0)),
        "rejected_score": float(random.uniform(0.0, 0.5)),
        "weight": 1.0,
        "group": f"example-{index}/1",
        "chosen_region": region(3 * index + 1),
        "rejected_region": region(3 * index + 2),
    }
    return row | changes


def make_group(index: int, count: int = 5, regions: int = 0) -> list[dict[str, Any]]:
    """The four pairs (0, 1), (2, 3), (4, 0), (1, 2) of one group of `count` candidates, each with its own crop.

    With `regions` the candidates take turns at that many crops.
    """
    random = np.random.default_rng(500 + index)
    scores = random.permutation(np.linspace(0.06, 0.97, count))
    texts = [f"{TEXTS[n % len(TEXTS)]} {n}" for n in range(count)]
    crops = [{"bytes": png(900 + 10 * index + n % (regions or count)), "path": f"{n}.png"} for n in range(count)]
    rows = []
    for number, pair in enumerate([(0, 1), (2, 3), (4, 0), (1, 2)]):
        high, low = sorted((n % count for n in pair), key=lambda n: -scores[n])
        changes = {
            "id": f"row-{index}-{number}",
            "chosen": texts[high],
            "rejected": texts[low],
            "side_images": [crops[high], crops[low]],
            "chosen_score": float(scores[high]),
            "rejected_score": float(scores[low]),
            "weight": float((1.0, 0.4, 1.7, 0.8)[number]),
            "chosen_candidate": f"c{high}",
            "rejected_candidate": f"c{low}",
        }
        rows.append(make_row(index, **changes))
    return rows


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parquet([table(rows, PAIR_FEATURES)], path, PAIR_FEATURES)
    return path
