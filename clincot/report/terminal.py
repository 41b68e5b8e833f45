"""A table and a width in columns -> text that fits it, with no cell cut: several tables, wrapped cells, or records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells

Grid = tuple[list[str], list[list[str]]]  # a header and lines of as many cells
GAP = 2  # columns between two cells
INDENT = 2  # columns before the fields of a record


def table_lines(grid: Grid, width: int, title: str = "") -> list[str]:
    """Return the lines of a table, none wider than `width` (0: as wide as it is).

    A table that is too wide is given as several with fewer columns each, the first column in all of them. Where the
    first column and another one do not fit even with wrapped cells, each line becomes a record of `name: value` lines.
    """
    header, lines = grid
    if not lines:
        return []
    room = width or max(1, _natural(grid))
    shown = wrapped(title, width or cell_len(title)) if title else []
    if _natural(grid) <= room:
        return [*shown, *_table(grid, _widths(grid))]
    blocks = _blocks(grid, room)
    if not blocks:
        return [*shown, *_records(grid, room)]
    for number, columns in enumerate(blocks):
        part = ([header[i] for i in columns], [[line[i] for i in columns] for line in lines])
        shown += [*([""] if number else []), *_table(part, _widths(part, room))]
    return shown


def wrapped(text: str, width: int) -> list[str]:
    """Return `text` in lines of at most `width` columns; words that are wider are broken, nothing is left out."""
    lines: list[str] = []
    for word in text.split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines += chop_cells(word, max(1, width))
    return lines or [""]


def stdout_width() -> int:
    """Return the columns of the terminal, 0 for a log or a pipe, whose lines may be as long as they are."""
    from rich.console import Console

    console = Console()
    return console.width if console.is_terminal else 0


def _natural(grid: Grid) -> int:
    return sum(_widths(grid)) + GAP * (len(grid[0]) - 1)


def _widths(grid: Grid, room: int = 0) -> list[int]:
    """Return the width of each column; where they do not fit into `room`, the widest ones are narrowed."""
    widths = [max(map(cell_len, column)) for column in zip(grid[0], *grid[1], strict=True)]
    narrowest = [_longest_word(column) for column in zip(grid[0], *grid[1], strict=True)]
    while room and sum(widths) + GAP * (len(widths) - 1) > room:
        spare = [wide - least for wide, least in zip(widths, narrowest, strict=True)]
        widths[spare.index(max(spare))] -= 1
    return widths


def _longest_word(column: Sequence[str]) -> int:
    return max((cell_len(word) for cell in column for word in cell.split()), default=1)


def _blocks(grid: Grid, room: int) -> list[list[int]]:
    """Return the columns of each table, [] where no two fit; only a table of two columns needs wrapped cells."""
    widths = _widths(grid)
    least = [_longest_word(column) for column in zip(grid[0], *grid[1], strict=True)]
    blocks: list[list[int]] = []
    for i in range(1, len(widths)):
        if blocks and sum(widths[j] + GAP for j in blocks[-1]) + widths[i] <= room:
            blocks[-1].append(i)
        elif least[0] + GAP + least[i] <= room:
            blocks.append([0, i])
        else:
            return []
    return blocks


def _table(grid: Grid, widths: Sequence[int]) -> list[str]:
    """Lay out header, rule and lines; columns of numbers are flush right, the others flush left."""
    right = [all(map(_number, column)) for column in zip(*grid[1], strict=True)]
    header, *lines = (list(_line(cells, widths, right)) for cells in [grid[0], *grid[1]])
    rule = (" " * GAP).join("─" * width for width in widths)
    return [*header, rule, *(text for line in lines for text in line)]


def _number(cell: str) -> bool:
    """Return whether a cell is flush right; a sign counts before a digit alone: "+ DPO" is a name."""
    return cell[:1] in "–0123456789" or (cell[0] in "+-" and cell[1:2].isdigit())


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
    texts = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for row in range(max(map(len, texts))):
        parts = [text[row] if row < len(text) else "" for text in texts]
        yield (" " * GAP).join(map(_padded, parts, widths, right)).rstrip()


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def _records(grid: Grid, room: int) -> list[str]:
    header, lines = grid
    shown: list[str] = []
    for line in lines:
        shown += wrapped(line[0], room)
        for name, value in zip(header[1:], line[1:], strict=True):
            inner = max(1, room - INDENT)
            shown += [" " * min(INDENT, room - 1) + part for part in wrapped(f"{name}: {value}", inner)]
    return shown
