"""A table of the paper's layout -> grids of texts: values, differences, what each row was given, the appendix."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from clincot.report.table.values import BASE, NAIVE, REGIONS, Block, Cell, Difference, Line, PaperTable
from clincot.report.terminal import Grid

NOT_RUN = "–"
WITHIN = "within noise"
INTERVALS = (
    "Percent, with a 95 % interval over training seeds and test images, both drawn again (crossed). Of one seed the"
    " interval is that of the images alone: it does not say what another seed would give."
)
DIFFERENCES = (
    'Differences in points, paired by image and seed. "within noise": the interval of the difference holds 0, so the'
    " rows are not shown to differ. A list, not a claim: nothing is corrected for the number of rows."
)


def cell_text(cell: Cell) -> str:
    """Return a value with its interval."""
    if not (isfinite(cell.low) and isfinite(cell.high)):
        return f"{cell.value:.1f} [{NOT_RUN}]"  # one image has no interval
    return f"{cell.value:.1f} [{cell.low:.1f}, {cell.high:.1f}]"


def difference_text(found: Difference) -> str:
    """Return a difference with its interval, or that it is within noise."""
    if found.within_noise:
        return f"{WITHIN} ({found.value:+.1f})"
    return f"{found.value:+.1f} [{found.low:+.1f}, {found.high:+.1f}]"


def values_grid(table: PaperTable, block: Block) -> Grid:
    """Return the values of a block, with what the paper prints next to each where it has the benchmark."""
    header = ["row"]
    for _, title in table.columns:
        header += [title, *([f"{title}, paper"] if table.printed else [])]
    return header, [[line.name, *_values(table, line)] for line in block.lines]


def _values(table: PaperTable, line: Line) -> Iterator[str]:
    for measure, _ in table.columns:
        cell = (line.cells or {}).get(measure)
        yield cell_text(cell) if cell else NOT_RUN
        if table.printed:
            yield f"{cell.published:.2f}" if cell and cell.published is not None else ""


def difference_grid(table: PaperTable, block: Block, against: str) -> Grid:
    """Return the differences of a block from one line; lines without any are left out."""
    lines = []
    for line in block.lines:
        found = [(line.cells or {}).get(measure) for measure, _ in table.columns]
        texts = [difference_text(cell.minus[against]) if cell and against in cell.minus else "" for cell in found]
        if any(texts):
            lines.append([line.name, *texts])
    return ["row", *(title for _, title in table.columns)], lines


def own_base_grid(table: PaperTable, block: Block) -> Grid:
    """Return the differences of a block from the base asked in the same way as the line."""
    lines = []
    for line in block.lines:
        against = REGIONS if line.asked == "region" else BASE
        found = [(line.cells or {}).get(measure) for measure, _ in table.columns]
        texts = [difference_text(cell.minus[against]) if cell and against in cell.minus else "" for cell in found]
        if any(texts):
            lines.append([line.name, *texts])
    return ["row", *(title for _, title in table.columns)], lines


def short_fairness_grid(block: Block) -> Grid:
    """Return what each row was given, one line a row: asking with regions adds the proposer alone."""
    header, lines = fairness_grid(Block(block.title, tuple(_once(block))))
    extra = header.index("extra model")
    return [*header[:extra], *header[extra + 1 :]], [[*line[:extra], *line[extra + 1 :]] for line in lines]


def _once(block: Block) -> Iterator[Line]:
    seen = set[str]()
    for line in block.lines:
        if line.title not in seen:
            seen.add(line.title)
            yield line


def fairness_grid(block: Block) -> Grid:
    """Return what each row was given; the two ways of asking one row differ in the extra model alone."""
    header = ["row", "gold answers", "pairs", "steps", "texts", "ratings", "extra model", "seeds"]
    lines = []
    for line in block.lines:
        if line.cells is not None:
            given = [f"{value:,.0f}" for value in (line.pairs, line.steps, line.texts, line.ratings)]
            lines.append([line.name, line.gold or "none", *given, line.extra or "none", str(len(line.seeds))])
    return header, lines


def missing_lines(table: PaperTable) -> list[str]:
    """Return why rows are not there, each once."""
    said = {(block.title, line.title): line.missing for block, line in table.every() if line.cells is None}
    return [f"{title} ({block}): {why}" for (block, title), why in said.items()]


def listed_parts(table: PaperTable) -> list[tuple[str, list[str]]]:
    """Return what every format lists, title and lines: notes, what was not run, and last the negative results."""
    return [
        ("Notes", list(table.notes)),
        ("Not run", missing_lines(table)),
        ("Negative results", negative_lines(table) or ["none is shown"]),
    ]


def negative_lines(table: PaperTable) -> list[str]:
    """Return which rows are shown to be worse than base or naive DPO, and which are not shown to beat a control."""
    found = []
    for block, line in table.every():
        cells = [(title, cell) for measure, title in table.columns if (cell := (line.cells or {}).get(measure))]
        for name in dict.fromkeys(name for _, cell in cells for name in cell.minus):
            minus = [(title, cell.minus[name]) for title, cell in cells if name in cell.minus]
            if name in (BASE, REGIONS, NAIVE):
                bad = [f"{title} by {difference_text(one)}" for title, one in minus if one.high < 0]
                said = f"worse than {name}"
            else:
                bad = [title for title, one in minus if one.low <= 0]
                said = f"not shown to be better than the control {name}"
            found += [f"{line.name} ({block.title}): {said} in {', '.join(bad)}"] if bad else []
    return found


def seeds_grid(table: PaperTable) -> Grid:
    """Return the value of every seed of every line."""
    lines = []
    for block, line in table.every():
        for place, seed in enumerate(line.seeds):
            values = [(line.cells or {}).get(measure) for measure, _ in table.columns]
            texts = [f"{cell.seeds[place]:.1f}" if cell and place < len(cell.seeds) else "" for cell in values]
            lines.append([line.name, block.title, str(seed), *texts])
    return ["row", "start", "seed", *(title for _, title in table.columns)], lines


def appendix_grids(table: PaperTable) -> list[tuple[str, Grid]]:
    """Return the titled grids of the appendix that hold anything."""
    own = table.appendix
    titled = [
        ("Values by seed", seeds_grid(table)),
        ("Settings", (["row", "method", "training"], [list(line) for line in own.settings])),
        (
            "Search of learning rate and beta",
            (["row", "setting", "validation", "chosen"], [list(line) for line in own.tuning]),
        ),
        (
            "Cost",
            (
                ["result", "seconds of its last run", "CPU seconds", "code", "origin"],
                [list(line) for line in own.costs],
            ),
        ),
        (
            "What the models were trained on",
            (["model", "trained on", "source"], [list(line) for line in own.trained_on]),
        ),
    ]
    return [(title, grid) for title, grid in titled if grid[1]]
