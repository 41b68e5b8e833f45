"""A table of the paper's layout and a width -> the lines that a terminal shows."""

from __future__ import annotations

from collections.abc import Iterator

from clincot.report.table.grids import (
    DIFFERENCES,
    INTERVALS,
    difference_grid,
    fairness_grid,
    missing_lines,
    values_grid,
)
from clincot.report.table.values import PaperTable
from clincot.report.terminal import table_lines, wrapped


def screen_lines(table: PaperTable, width: int) -> list[str]:
    """Return the lines, none wider than `width` columns."""
    return [line for part in _parts(table, width) for line in part]


def _parts(table: PaperTable, width: int) -> Iterator[list[str]]:
    yield wrapped(f"Table {table.number}: {table.heading}", width)
    for block in table.blocks:
        yield ["", *table_lines(values_grid(table, block), width, block.title)]
    yield ["", *wrapped(INTERVALS, width)]
    for block in table.blocks:
        for name in table.against:
            yield _after_gap(table_lines(difference_grid(table, block, name), width, f"{block.title}, minus {name}"))
    if table.against:
        yield ["", *wrapped(DIFFERENCES, width)]
    for block in table.blocks:
        yield _after_gap(table_lines(fairness_grid(block), width, f"{block.title}: what each row was given"))
    for text in (*table.notes, *(f"not run: {line}" for line in missing_lines(table))):
        yield ["", *wrapped(text, width)]


def _after_gap(lines: list[str]) -> list[str]:
    return ["", *lines] if lines else []
