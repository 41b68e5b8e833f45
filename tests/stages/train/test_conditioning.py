"""`winner` and `global` are about crops: rows whose sides have other images, or none, are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clincot.errors import DataError
from clincot.stages.train.conditioning import check_conditioning, shows_crops
from clincot.stages.train.rows import load_rows
from tests.objectives.rows import make_row, png, write_rows

NOISY = {"bytes": png(99), "path": "noisy.png"}
ODD = {
    "no image of its own": {"side_images": [], "chosen_region": None, "rejected_region": None},
    "a corrupted copy": {"chosen_region": None, "rejected_region": None},
    "one text with two crops": {"chosen": "Yes", "rejected": "Yes"},
    "a region on one side alone": {"rejected_region": None},
    "two images on one side": {
        "side_images": [NOISY, NOISY],
        "chosen_images_count": 2,
        "rejected_images_count": 0,
    },
}


def opened(folder: Path, *rows: dict[str, Any]) -> Any:
    return load_rows([write_rows(folder / "rows.parquet", list(rows))], folder / "cache", scores=True, reference=False)


@pytest.mark.parametrize("conditioning", ["winner", "global"])
@pytest.mark.parametrize("odd", ODD)
def test_rows_without_crops_are_refused_and_named(odd: str, conditioning: Any, tmp_path: Path) -> None:
    rows = opened(tmp_path, make_row(0), make_row(1, **ODD[odd]))
    with pytest.raises(
        DataError, match=f"row row-1: train.conditioning={conditioning} .* Set train.conditioning=per_side"
    ):
        check_conditioning(rows, conditioning)
    check_conditioning(rows, "per_side")


@pytest.mark.parametrize("counts", [{}, {"chosen_images_count": 1, "rejected_images_count": 1}])
def test_rows_with_a_crop_on_each_side_pass_with_and_without_counts(counts: dict[str, int], tmp_path: Path) -> None:
    check_conditioning(opened(tmp_path, make_row(0, **counts), make_row(1, **counts)), "winner")


def test_pairs_show_crops_where_one_of_them_does(tmp_path: Path) -> None:
    noisy = [make_row(i, **ODD["a corrupted copy"]) for i in range(2)]
    for folder in ("noisy", "both"):
        (tmp_path / folder).mkdir()
    assert not shows_crops(opened(tmp_path / "noisy", *noisy))
    assert shows_crops(opened(tmp_path / "both", *noisy, make_row(2)))
