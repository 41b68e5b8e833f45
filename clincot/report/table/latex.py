"""A table of the paper's layout -> LaTeX that `\\input` takes: the table, its differences and an appendix."""

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
}


def latex(table: PaperTable) -> str:
    """Return the file's text; it needs the packages `booktabs` and `longtable`, and marks nothing bold."""
    parts = ["% Needs \\usepackage{booktabs,longtable}. Written by `clincot table`."]
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
    """Return a grid that may go over several pages."""
    header, lines = grid
    if not lines:
        return ""
    rows = [" & ".join(map(escaped, row)) + r" \\" for row in (header, *lines)]
    columns = "l" + "r" * (len(header) - 1)
    return "\n".join(
        (
            f"\\begin{{longtable}}{{{columns}}}",
            f"\\caption{{{escaped(caption)}}}\\\\",
            "\\toprule",
            rows[0],
            "\\midrule",
            *rows[1:],
            "\\bottomrule",
            "\\end{longtable}",
        )
    )


def escaped(text: str) -> str:
    """Return a text in which LaTeX reads no command."""
    return "".join(SPECIAL.get(letter, letter) for letter in text)
