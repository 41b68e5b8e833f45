"""The tables in docs/results are what `clincot table --show` makes of the results that lie next to them."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import clincot

RESULTS = Path(__file__).parents[2] / "docs/results/tables"
WORDS = (
    "--setting",
    "phantom-v2",
    "--set",
    "evaluate.max_images=200",
    "--results",
    str(RESULTS),
    "--seeds",
    "3",
    "--show",
)


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("phantom-v2-phantom-v2/table-1.md", ("1",)),
        ("phantom-v2-phantom-v2/table-2.md", ("2",)),
        ("phantom-v2-phantom-v2-tuned/table-1-base.md", ("1", "--start", "base", "--tune")),
    ],
)
def test_a_committed_table_is_that_of_its_results(page: str, asked: tuple[str, ...], tmp_path: Path) -> None:
    _, err = clincot("table", *asked, *WORDS, "--out", str(tmp_path), cwd=tmp_path)
    assert "results of these rows are missing" not in err
    assert (tmp_path / Path(page).name).read_text() == (RESULTS / page).read_text()
