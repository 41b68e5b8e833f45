"""Tables on narrow and wide terminals: no line is wider than the window, and no cell loses a character."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from clincot.report.terminal import table_lines, wrapped

GRID = (
    ["", "closed accuracy", "report BLEU", "n"],
    [
        ["round-1 · region · black image", "85.0 [79.5, 90.6]°", "–", "352"],
        ["question prior", "100.0 [100.0, 100.0]", "31.8 [29.6, 33.8]▼", "38"],
    ],
)
CELLS = [cell for line in [GRID[0], *GRID[1]] for cell in line]


def _letters(text: str) -> str:
    return "".join(text.replace("─", "").split())


@pytest.mark.parametrize("width", [1, 2, 7, 20, 30, 41, 60, 80, 120, 0])
def test_no_cell_is_cut_at_any_width(width: int) -> None:
    lines = table_lines(GRID, width, "phantom test, protocol clincot-v2")
    assert all(cell_len(line) <= width for line in lines) or not width
    shown = _letters("".join(lines))
    # Words of a cell may lie on lines of their own, between words of the neighbouring cells: each must be there.
    words = [word for cell in CELLS for word in cell.split()]
    assert all(word in shown for word in words)
    assert "…" not in shown


def test_a_table_that_fits_is_one_table_and_a_wide_one_repeats_its_first_column() -> None:
    assert len(table_lines(GRID, 80)) == 4
    split = table_lines(GRID, 60)
    assert [line for line in split if "question prior" in line] == [line for line in split if line[:8] == "question"]
    assert sum("question prior" in line for line in split) == 2
    assert "" in split  # between the tables


def test_cells_are_wrapped_before_a_table_becomes_records() -> None:
    wrapped_table = table_lines(GRID, 30)
    assert any("─" in line for line in wrapped_table) and sum("[79.5," in line for line in wrapped_table) == 1
    records = table_lines(GRID, 14)
    assert not any("─" in line for line in records) and "  n: 352" in records


def test_wide_characters_count_twice_and_long_words_are_broken() -> None:
    assert wrapped("肺炎肺炎", 4) == ["肺炎", "肺炎"]
    assert wrapped("a" * 100_000, 80)[:2] == ["a" * 80, "a" * 80]
    assert wrapped("", 10) == [""]


def test_the_title_of_a_pipe_stays_one_line() -> None:
    assert (
        table_lines((["", "n"], [["a", "1"]]), 0, "a title wider than its table")[0] == "a title wider than its table"
    )


def test_a_table_without_lines_is_nothing() -> None:
    assert table_lines((["", "n"], []), 80, "title") == []


def test_names_that_begin_with_a_sign_are_flush_left_and_signed_numbers_flush_right() -> None:
    lines = table_lines((["row", "value"], [["+ DPO", "+1.0"], ["+ ClinCoT", "-10.0"]]), 80)
    assert lines[2:] == ["+ DPO       +1.0", "+ ClinCoT  -10.0"]
