"""A table of the paper's layout -> a Markdown file: values, differences, what rows were given, appendix."""

from __future__ import annotations

from clincot.report.table.grids import (
    DIFFERENCES,
    INTERVALS,
    appendix_grids,
    difference_grid,
    fairness_grid,
    listed_parts,
    values_grid,
)
from clincot.report.table.values import PaperTable
from clincot.report.terminal import Grid


def markdown(table: PaperTable) -> str:
    """Return the file's text."""
    parts = [f"# Table {table.number}: {table.heading}", INTERVALS]
    for block in table.blocks:
        parts += [f"## {block.title}", grid_text(values_grid(table, block))]
        for name in table.against:
            differences = difference_grid(table, block, name)
            parts += [f"### Minus {name}", grid_text(differences)] if differences[1] else []
        parts += ["### What each row was given", grid_text(fairness_grid(block))]
    *notes, negative = (_listed(title, lines) for title, lines in listed_parts(table))
    parts += [DIFFERENCES, *(part for some in notes for part in some), "## Appendix", *negative]
    for title, grid in appendix_grids(table):
        parts += [f"### {title}", grid_text(grid)]
    return "\n\n".join(parts) + "\n"


def grid_text(grid: Grid) -> str:
    """Return a grid as a Markdown table."""
    header, lines = grid
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def _listed(title: str, lines: list[str]) -> list[str]:
    return [f"### {title}", "\n".join(f"- {line}" for line in lines)] if lines else []
