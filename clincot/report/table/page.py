"""A table of the paper's layout -> one self-contained HTML page."""

from __future__ import annotations

from html import escape

from clincot.report.results_page import STYLE
from clincot.report.table.grids import (
    DIFFERENCES,
    INTERVALS,
    WITHIN,
    appendix_grids,
    difference_grid,
    fairness_grid,
    listed_parts,
    values_grid,
)
from clincot.report.table.values import Block, PaperTable
from clincot.report.terminal import Grid

HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'


def table_page(table: PaperTable) -> str:
    """Return the page; controls are in italics, differences within noise in the colour of doubt."""
    name = escape(f"Table {table.number}: {table.heading}")
    parts = [f"<h1>{name}</h1>", "<p><strong>Not for clinical use.</strong> Research material only.</p>"]
    parts += [f"<p class=small>{escape(text)}</p>" for text in (INTERVALS, DIFFERENCES)]
    for block in table.blocks:
        parts += _block(table, block)
    for title, lines in listed_parts(table):
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
        parts += [f"<h2>{title}</h2><ul>{items}</ul>"] if lines else []
    parts += [_folded(title, grid) for title, grid in appendix_grids(table)]
    body = "\n".join(parts)
    return f"{HEAD}<title>{name}</title><style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"


def _block(table: PaperTable, block: Block) -> list[str]:
    controls = {line.name for line in block.lines if line.control}
    parts = [f"<h2>{escape(block.title)}</h2>", _table(values_grid(table, block), controls)]
    for name in table.against:
        grid = difference_grid(table, block, name)
        parts += [f"<h3>Minus {escape(name)}</h3>", _table(grid, controls)] if grid[1] else []
    return [*parts, _folded("What each row was given", fairness_grid(block))]


def _folded(title: str, grid: Grid) -> str:
    return f"<details><summary>{escape(title)}</summary>{_table(grid, set())}</details>"


def _table(grid: Grid, controls: set[str]) -> str:
    header = "".join(f"<th>{escape(column)}</th>" for column in grid[0])
    rows = "".join(
        f"<tr{' class=control' if line[0] in controls else ''}>{''.join(map(_cell, line))}</tr>" for line in grid[1]
    )
    scrolled = 'class="wide" tabindex="0" role="region" aria-label="Table"'  # for those who scroll by keys
    return f"<div {scrolled}><table><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table></div>"


def _cell(text: str) -> str:
    return f"<td{' class=doubt' if text.startswith(WITHIN) else ''}>{escape(text)}</td>"
