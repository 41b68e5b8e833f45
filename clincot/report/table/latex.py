"""A table of the paper's layout -> LaTeX that `\\input` takes: the table, its differences and an appendix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from clincot.report.terminal import GAP, Grid

PAGE, WRAPPED = 84, 28  # letters of \\footnotesize on a line; a column with longer cells is wrapped
SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "°": r"\textdegree{}",
    "×": r"$\times$",
    "½": r"$\frac{1}{2}$",
    "`": r"\textasciigrave{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def latex(table: PaperTable) -> str:
    """Return the file's text; it needs the packages `array`, `booktabs` and `longtable`, and marks nothing bold."""
    parts = ["% Needs \\usepackage{array,booktabs,longtable}. Written by `clincot table`."]
    for block in table.blocks:
        caption = f"Table {table.number}, {table.heading}, {block.title}. {INTERVALS}"
        parts.append(tabular(values_grid(table, block), caption))
        for name in table.against:
            grid = difference_grid(table, block, name)
            parts += [tabular(grid, f"{block.title}, minus {name}. {DIFFERENCES}")] if grid[1] else []
        parts.append(tabular(fairness_grid(block), f"{block.title}: what each row was given."))
    parts += ["\\appendix", "\\section*{Appendix}"]
    for title, lines in listed_parts(table):
        items = "\n".join(f"\\item {escaped(line)}" for line in lines)
        parts += [f"\\paragraph{{{title}}}\n\\begin{{itemize}}\n{items}\n\\end{{itemize}}"] if lines else []
    parts += [tabular(grid, f"{title}.") for title, grid in appendix_grids(table)]
    return "\n\n".join(parts) + "\n"


def tabular(grid: Grid, caption: str) -> str:
    """Return a grid that may go over several pages; one that is too wide is given as several, with the first column."""
    if not grid[1]:
        return ""
    parts = [
        _longtable(part, caption if not number else f"{caption.partition('. ')[0]} (continued).")
        for number, part in _parts(grid)
    ]
    return "{\\footnotesize\n" + "\n".join(parts) + "\n}"


def _parts(grid: Grid) -> Iterator[tuple[int, Grid]]:
    """Yield the parts of a grid with their numbers from 0, each as wide as a page at most."""
    header, lines = grid
    widths = [min(width, WRAPPED) for width in _widths(grid)]
    groups: list[list[int]] = []
    for column in range(1, len(header)):
        if groups and sum(widths[one] + GAP for one in groups[-1]) + widths[column] <= PAGE:
            groups[-1].append(column)
        else:
            groups.append([0, column])
    for number, group in enumerate(groups):
        yield number, ([header[one] for one in group], [[line[one] for one in group] for line in lines])


def _widths(grid: Grid) -> list[int]:
    return [max(map(len, column)) for column in zip(grid[0], *grid[1], strict=True)]


def _longtable(grid: Grid, caption: str) -> str:
    header, lines = grid
    rows = [" & ".join(map(escaped, row)) + r" \\" for row in (header, *lines)]
    return "\n".join(
        (
            f"\\begin{{longtable}}{{{_columns(_widths(grid))}}}",
            f"\\caption{{{escaped(caption)}}}\\\\",
            "\\toprule",
            rows[0],
            "\\midrule",
            *rows[1:],
            "\\bottomrule",
            "\\end{longtable}",
        )
    )


def _columns(widths: Sequence[int]) -> str:
    """Return the columns: text on the left, numbers on the right; wrapped ones share what the others leave."""
    long = [width > WRAPPED for width in widths]
    left = 0.96 - sum(width + GAP for width, wraps in zip(widths, long, strict=True) if not wraps) / PAGE
    share = max(0.15, left / max(1, sum(long)))
    plain = ["l", *"r" * (len(widths) - 1)]
    wide = rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\linewidth}}"
    return "".join(wide if wraps else letter for wraps, letter in zip(long, plain, strict=True))


def escaped(text: str) -> str:
    """Return a text in which LaTeX reads no command, and no dash where two signs of minus stand."""
    return "-{}-".join("".join(SPECIAL.get(letter, letter) for letter in part) for part in text.split("--"))
