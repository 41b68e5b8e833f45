"""Preference rows and a seed -> the same rows, chosen and rejected side exchanged in half of them: a control.

Scores stay where they are, and so do margins: the pairs are trained without what the judges preferred.
"""

from __future__ import annotations

import random
from typing import Any

from datasets import Dataset

OF_A_SIDE = ("", "_images", "_images_count", "_finish", "_token_weights")
SIDES = tuple((f"chosen{name}", f"rejected{name}") for name in OF_A_SIDE)
OF_BOTH = "side_images"  # the chosen side's first


def shuffled(rows: Dataset, seed: int) -> Dataset:
    """Return the rows; the id of a row and `seed` alone say whether its sides are exchanged.

    Stored reference log-probabilities stay as they are and must not be read.
    """
    pairs = [pair for pair in SIDES if set(pair) <= set(rows.column_names)]
    touched = [name for pair in pairs for name in pair] + [OF_BOTH] * (OF_BOTH in rows.column_names)

    def exchanged(row: dict[str, Any]) -> dict[str, Any]:
        if not is_exchanged(row["id"], seed):
            return {name: row[name] for name in touched}
        found = {one: row[other] for pair in pairs for one, other in (pair, pair[::-1])}
        if OF_BOTH in touched:
            images, count = row[OF_BOTH] or [], row.get("chosen_images_count")
            first = count if count is not None else len(images) // 2
            found[OF_BOTH] = [*images[first:], *images[:first]]
        return found

    return rows.map(exchanged, features=rows.features, load_from_cache_file=False)


def is_exchanged(name: str, seed: int) -> bool:
    """Return whether the sides of the row called `name` are exchanged."""
    return random.Random(f"{seed}/{name}").random() < 0.5
