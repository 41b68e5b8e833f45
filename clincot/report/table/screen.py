"""A table of the paper's layout and a width -> the lines that a terminal shows."""

from __future__ import annotations

from collections.abc import Iterator

from clincot.report.table.grids import (
    DIFFERENCES,
    INTERVALS,
    difference_grid,
    missing_lines,
    own_base_grid,
    short_fairness_grid,
    values_grid,
)
from clincot.report.table.values import NAIVE, PaperTable
from clincot.report.terminal import table_lines, wrapped

GIVEN = (
    "gold answers: where they entered training. texts, ratings: what all models of the builds wrote and rated. Asking"
    " with regions needs the proposer too. All differences, and an appendix, are in the files."
)


def screen_lines(table: PaperTable, width: int) -> list[str]:
    """Return the lines, none wider than `width` columns."""
    return [line for part in _parts(table, width) for line in part]


def _parts(table: PaperTable, width: int) -> Iterator[list[str]]:
    yield wrapped(f"Table {table.number}: {table.heading}", width)
    for block in table.blocks:
        yield ["", *table_lines(values_grid(table, block), width, block.title)]
    yield ["", *wrapped(INTERVALS, width)]
    for block in table.blocks:
        titled = f"{block.title}, minus the base asked in the same way"
        yield _after_gap(table_lines(own_base_grid(table, block), width, titled))
        if NAIVE in table.against:
            naive = difference_grid(table, block, NAIVE)
            yield _after_gap(table_lines(naive, width, f"{block.title}, minus {NAIVE}"))
    if table.against:
        yield ["", *wrapped(DIFFERENCES, width)]
    for block in table.blocks:
        yield _after_gap(table_lines(short_fairness_grid(block), width, f"{block.title}: what each row was given"))
    yield ["", *wrapped(GIVEN, width)]
    for text in (*table.notes, *(f"not run: {line}" for line in missing_lines(table))):
        yield ["", *wrapped(text, width)]


def _after_gap(lines: list[str]) -> list[str]:
    return ["", *lines] if lines else []
