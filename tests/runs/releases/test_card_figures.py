"""What cards show of a round: the pairs with the widest margins, one for each image, and two figures of its rows."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clincot.benchmarks.phantom import Phantom
from clincot.rows import schema
from clincot.runs.releases import card_figures
from tests.objectives.rows import make_row, png


def row(number: int, example: str, *scores: float | None) -> dict[str, Any]:
    image = {"bytes": png(ord(example)), "path": "a.png"}
    more = {"example_id": example, "images": [image], "side_images": [image, image]}
    return make_row(number, **more, chosen_score=scores[0], rejected_score=scores[1], chosen=f"{number} " + "x" * 300)


def written(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Path]:
    path = folder / "pairs.parquet"
    schema.write_parquet([schema.table(rows, schema.PAIR_FEATURES)], path, schema.PAIR_FEATURES)
    return {"round-1/train-00000-of-00001.parquet": path}


def test_the_widest_margins_of_different_images_are_shown(tmp_path: Path) -> None:
    rows = [row(1, "a", 0.5, 0.4), row(2, "b", 0.9, 0.1), row(3, "b", 0.9, 0.0), row(4, "c", None, None)]
    rows += [row(5, "d", 0.5, 0.4)]  # as wide as the first
    held, facts = card_figures.of_pairs(written(tmp_path, rows), "round-1", tmp_path / "figures")
    shown = facts["shown_pairs"]
    assert [one["chosen"].split()[0] for one in shown] == ["3", "1", "5"]
    assert all(len(one["chosen"]) < 250 and one["chosen"].endswith("…") for one in shown)
    assert facts["figures"] == [{"title": "Margins of the pairs", "path": "round-1/figures/margins.png"}]  # no judges
    assert set(held) == {f"round-1/figures/{name}.png" for name in ("margins", "pair-1", "pair-2", "pair-3")}
    with Image.open(io.BytesIO(held["round-1/figures/pair-1.png"].read_bytes())) as image:
        width = Image.open(io.BytesIO(png(3))).width
        assert image.width == 3 * width + 2 * card_figures.GAP  # small images are not enlarged


def test_pairs_without_scores_and_images_are_shown_too(tmp_path: Path) -> None:
    bare = row(1, "a", None, None) | {"images": [], "side_images": []}
    held, facts = card_figures.of_pairs(written(tmp_path, [bare]), "round-1", tmp_path / "figures")
    assert facts["figures"] == [] and list(held) == ["round-1/figures/pair-1.png"]


@pytest.mark.parametrize(
    ("open_", "privacy", "shown"), [(True, "public", True), (False, "public", False), (True, "restricted", False)]
)
def test_images_of_data_that_may_not_be_passed_on_are_never_shown(open_: bool, privacy: Any, shown: bool) -> None:
    source = replace(Phantom.source, redistributable=open_, privacy=privacy)
    assert card_figures.may_show(source) is shown
