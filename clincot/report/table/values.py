"""What a table of the paper's layout holds: lines with values, intervals and differences, and what an appendix says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

BASE, REGIONS, NAIVE = "base", "base + regions", "naive DPO"


@dataclass(frozen=True)
class Difference:
    """A line minus another one, in points: paired by image and seed, with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def within_noise(self) -> bool:
        """Return whether the difference is smaller than its interval: the line is not shown to differ."""
        return not (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Cell:
    """A line's value under a measure, in percent, with its 95 % interval over seeds and images.

    `published` is what the paper prints in this place, `minus` the differences by the name of the other line, `seeds`
    the value of each seed.
    """

    value: float
    low: float
    high: float
    published: float | None = None
    minus: Mapping[str, Difference] = field(default_factory=dict)
    seeds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Line:
    """One row, asked in one way: `cells` by measure; None where it was not run, `missing` says why.

    What was given to the row: `gold` (where gold answers entered training), `pairs`, `steps` of the optimizer, `texts`
    and `ratings` of all models of its builds, each the mean over its seeds; `extra` is a model that inference needs.
    `seen` are test images that it was trained on (None: unknown).
    """

    title: str
    asked: str
    cells: Mapping[str, Cell] | None
    seeds: tuple[int, ...] = ()
    missing: str = ""
    gold: str = ""
    pairs: float = 0
    steps: float = 0
    texts: float = 0
    ratings: float = 0
    extra: str = ""
    seen: int | None = 0
    control: bool = False
    negative: bool = False

    @property
    def name(self) -> str:
        """Return the title with the way of asking."""
        return f"{self.title}, with regions" if self.asked == "region" else self.title


@dataclass(frozen=True)
class Block:
    """The lines of one start."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Appendix:
    """What must be said with a table: each a header and lines of cells."""

    settings: tuple[tuple[str, ...], ...] = ()
    costs: tuple[tuple[str, ...], ...] = ()
    tuning: tuple[tuple[str, ...], ...] = ()
    trained_on: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class PaperTable:
    """One table: `columns` are (measure, title), `printed` says that the paper has numbers of this benchmark.

    `counts` are the questions that each measure counts.
    """

    number: int
    heading: str
    columns: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    printed: bool
    notes: tuple[str, ...]
    appendix: Appendix = field(default_factory=Appendix)
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def against(self) -> tuple[str, ...]:
        """Return the names of the lines from which differences are given."""
        named = dict.fromkeys(n for _, line in self.every() for c in (line.cells or {}).values() for n in c.minus)
        return tuple(name for name in (BASE, REGIONS, NAIVE) if name in named)

    def every(self) -> Iterator[tuple[Block, Line]]:
        """Yield every line with its block."""
        for block in self.blocks:
            for line in block.lines:
                yield block, line
