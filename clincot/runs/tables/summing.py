"""A plan and its results -> the table in the paper's layout: crossed intervals, differences, published numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from clincot import protocols
from clincot.errors import DataError
from clincot.metrics import load_score
from clincot.protocols import Measure
from clincot.report.table.values import BASE, NAIVE, REGIONS, Block, Cell, Difference, Line, PaperTable
from clincot.runs.tables import lineup
from clincot.runs.tables.appendix import appendix_of, notes_of
from clincot.runs.tables.grids import PAPER, columns_of, titles_of
from clincot.runs.tables.lineup import DIRECT, REGION, Start, TableRow
from clincot.runs.tables.plan import Plan, unit_of
from clincot.runs.tables.published import prints, published
from clincot.runs.tables.stored import Facts, Stored, same_questions
from clincot.stages.evaluate.crossed import Crossed
from clincot.stages.evaluate.results import Scored

TITLES: dict[Start, str] = {"base": "from the released model", "sft": "after SFT"}
NOT_MADE = "no result yet"


@dataclass(frozen=True)
class Summed:
    """The results of a table by the unit of their jobs, and the resamples that all lines share."""

    plan: Plan
    results: Mapping[str, Mapping[int, Stored]]
    label: str
    resamples: int = 2000

    @cached_property
    def first(self) -> Stored:
        return next(one for some in self.results.values() for one in some.values())

    @cached_property
    def printed(self) -> bool:
        """Return whether the paper has numbers of what was asked: its benchmark, its test split, its measures."""
        return prints(self.first.benchmark) and self.first.split == "test" and self.label == PAPER

    @cached_property
    def crossed(self) -> Crossed:
        return Crossed.of(self.first.images, self.resamples)

    @cached_property
    def columns(self) -> tuple[Measure, ...]:
        return columns_of(self.label, self.first.counts)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Return the questions that each column counts."""
        return {measure.name: self.first.counts[f"{self.label}/{measure.name}"] for measure in self.columns}

    def sums(self, start: Start, row: TableRow, asked: str, measure: Measure) -> dict[int, np.ndarray]:
        """Return a line's sums by seed; empty where there is no result."""
        found = {}
        for seed, one in self.results.get(unit_of(row, start), {}).items():
            ways = one.sums.get(row.policy or one.last, {})
            sums = ways.get(asked, {}).get(f"{self.label}/{measure.name}")
            if sums is not None:
                found[seed] = _fitting(sums, measure, one.name)
        return found

    def plain(self, sums: np.ndarray | None, measure: Measure) -> float | None:
        """Return the value of sums by image, without an interval; None where nothing was counted."""
        found = None if sums is None else self.crossed.score({0: sums}, _value(measure))
        return None if found is None else found.value

    def cell(self, start: Start, row: TableRow, asked: str, measure: Measure) -> Cell | None:
        """Return the value of a line under a measure with its differences; None where nothing was counted."""
        sums, value = self.sums(start, row, asked, measure), _value(measure)
        scored = self.crossed.score(sums, value) if sums else None
        if scored is None:
            return None
        others = {name: other for name, other in self._others(start, row, asked, measure) if other}
        minus = {
            name: self.crossed.difference(sums, other, value, untrained=name in (BASE, REGIONS))
            for name, other in others.items()
        }
        printed = published(self.plan.asked.table, start, row.printed, self.first.benchmark, measure.name)
        by_seed = [self.crossed.score({seed: sums[seed]}, value) for seed in sorted(sums)]
        return Cell(
            *_percent(scored),
            published=printed if asked == row.as_printed and self.printed else None,
            minus={name: Difference(*_percent(one)) for name, one in minus.items() if one is not None},
            seeds=tuple(100 * one.value for one in by_seed if one is not None),
        )

    def _others(
        self, start: Start, row: TableRow, asked: str, measure: Measure
    ) -> Iterator[tuple[str, dict[int, np.ndarray]]]:
        """Yield the lines from which a line's differences are given, without itself."""
        if not (row.name == "base" and asked == DIRECT):
            yield BASE, self.sums("base", lineup.BASE, DIRECT, measure)
        if not (row.name == "base" and asked == REGION):
            yield REGIONS, self.sums("base", lineup.BASE, REGION, measure)
        naive = self._row(lineup.NAIVE[self.plan.asked.table])
        if naive and row.name not in ("base", naive.name):
            yield NAIVE, self.sums(start, naive, asked, measure)
        for control in lineup.CONTROLS if not row.control and row.name not in ("base", "sft") else ():
            yield control.title, self.sums(start, control, asked, measure)

    def _row(self, name: str) -> TableRow | None:
        return next((row for row in lineup.TABLES[self.plan.asked.table] if row.name == name), None)


def summed(
    plan: Plan,
    results: Sequence[Stored],
    *,
    label: str = PAPER,
    why: Mapping[str, str] | None = None,
    tuning: Sequence[tuple[str, ...]] = (),
) -> PaperTable:
    """Return the table of the results that there are; `why` says by a row's name why it has none.

    `tuning` are the lines of a search for the appendix.

    Raises DataError where results answer other questions, and where they hold no measure of the protocol.
    """
    same_questions(results)
    by_unit: dict[str, dict[int, Stored]] = {}
    for one in results:
        by_unit.setdefault(one.unit, {})[one.seed] = one
    found = Summed(plan, by_unit, protocols.load(label).label)
    first = found.first
    if not found.columns:
        raise DataError(f"--protocol {label}: these results hold no measure of it. Give paper, or {first.protocol}.")
    starts = dict.fromkeys(start for start, _ in plan.rows)
    blocks = tuple(
        Block(TITLES[start], tuple(_lines(found, start, {**plan.left_out, **(why or {})}))) for start in starts
    )
    titles = titles_of(found.label)
    return PaperTable(
        number=plan.asked.table,
        heading=f"{first.benchmark} {first.split}, setting {first.setting}, {_asked(found, titles)}, {found.label}",
        columns=tuple((m.name, titles[m.name]) for m in found.columns),
        counts=found.counts,
        blocks=blocks,
        printed=found.printed,
        notes=notes_of(plan, results, printed=found.printed),
        appendix=replace(appendix_of(plan, results), tuning=tuple(tuning)),
    )


def _asked(found: Summed, titles: Mapping[str, str]) -> str:
    """Return how many images were asked about, and how many questions each column counts."""
    counted: dict[int, list[str]] = {}
    for measure in found.columns:
        counted.setdefault(found.counts[measure.name], []).append(titles[measure.name])
    questions = "; ".join(f"{', '.join(names)} {number:,}" for number, names in counted.items())
    return f"{len(found.first.images):,} images (questions: {questions})"


def _lines(found: Summed, start: Start, why: Mapping[str, str]) -> Iterator[Line]:
    rows = [row for of, row in found.plan.rows if of == start]
    left = [row for row in lineup.TABLES[found.plan.asked.table] if row.name in why and row not in rows]
    for row in (*rows, *(row for row in left if start in row.starts)):
        asked_ways = row.asked
        results = found.results.get(unit_of(row, start), {})
        if not results:
            yield Line(row.title, asked_ways[0], None, missing=why.get(row.name, NOT_MADE), control=row.control)
            continue
        for asked in asked_ways:
            cells = {m.name: cell for m in found.columns if (cell := found.cell(start, row, asked, m))}
            yield _line(row, asked, cells, results)


def _line(row: TableRow, asked: str, cells: Mapping[str, Cell], results: Mapping[int, Stored]) -> Line:
    facts = [one.facts.get(row.policy or one.last, Facts()) for one in results.values()]
    seen = [one.seen for one in facts if one.seen is not None]

    def mean(read: Callable[[Facts], int]) -> float:
        return sum(map(read, facts)) / len(facts)

    return Line(
        title=row.title,
        asked=asked,
        cells=cells,
        seeds=tuple(sorted(results)),
        gold=", ".join(dict.fromkeys(where for one in facts for where in one.gold)),
        pairs=mean(lambda one: one.pairs),
        steps=mean(lambda one: one.steps),
        texts=mean(lambda one: one.texts),
        ratings=mean(lambda one: one.ratings),
        extra="proposer" if asked == REGION else "",
        seen=max(seen) if len(seen) == len(facts) else None,
        control=row.control,
    )


def _percent(scored: Scored) -> tuple[float, float, float]:
    low, high = scored.interval()
    return 100 * scored.value, 100 * low, 100 * high


def _fitting(sums: np.ndarray, measure: Measure, name: str) -> np.ndarray:
    """Return the sums; raises DataError where they are not those of the measure."""
    _, score, rule = measure.scores[0]
    terms = len(load_score(score, rule).terms("yes", "yes"))
    if sums.shape[1] != terms:
        raise DataError(f"{name}: has {sums.shape[1]} sums of {measure.name}, not {terms}. Make it again with --again.")
    return sums


def _value(measure: Measure) -> Callable[[np.ndarray], np.ndarray]:
    _, name, rule = measure.scores[0]
    return load_score(name, rule).value
