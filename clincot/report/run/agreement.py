"""Ratings of the stored candidates by two or more judges -> a figure of how far the judges agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from clincot.judges.consensus import DEBATE
from clincot.report.figures.charts import scatter
from clincot.report.figures.drawing import Drawing
from clincot.report.figures.figure import Cell, Figure, Missing, Section

Row = Mapping[str, Any]
CELLS = 25  # places of an axis: with tens of thousands of candidates dots would lie on each other
TITLE = "Agreement of the judges"


def agreement_figure(candidates: Mapping[str, Sequence[Row]]) -> Section:
    """Draw each two judges' scores of the same texts against each other, a panel for each round and two judges."""
    panels: list[Drawing] = []
    rows: list[tuple[Cell, ...]] = []
    said: list[str] = []
    for name, some in candidates.items():
        scores = own_scores(some)
        for one, two in combinations(scores, 2):
            both = sorted(scores[one].keys() & scores[two].keys())
            if not both:
                continue
            xs, ys = ([scores[judge][key] for key in both] for judge in (one, two))
            cells = Counter((_place(x), _place(y)) for x, y in zip(xs, ys, strict=True))
            panels.append(scatter(f"{name}: {_short(one)} and {_short(two)}", cells, (_short(one), _short(two))))
            rows += [(name, one, two, x, y, n) for (x, y), n in sorted(cells.items())]
            said.append(f"{name}, {_short(one)} and {_short(two)}: {_correlations(xs, ys)} on {len(both):,} texts.")
    if not panels:
        return Missing(TITLE, "No round has texts that two judges rated.")
    notes = ("Each judge's own score of a candidate, without look-ahead.", *said)
    header = ("round", "judge a", "judge b", "score a", "score b", "texts")
    return Figure("judges", TITLE, notes, tuple(panels), header, tuple(rows))


def own_scores(candidates: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return judge -> id of a candidate -> its own score, in the order in which judges first rate.

    Judges of one name differ by a number: they may be one model with other prompts.
    """
    found: dict[str, dict[str, float]] = {}
    for row in candidates:
        seen: Counter[str] = Counter()
        for score in row["judge_scores"] or ():
            judge, own = score["judge"], score["own"]
            seen[judge] += 1
            if judge != DEBATE and own is not None and own == own:
                found.setdefault(judge if seen[judge] == 1 else f"{judge} ({seen[judge]})", {})[row["id"]] = own
    return found


def correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return Pearson's correlation, nan where a judge gives one score to all."""
    if len(xs) < 2 or np.ptp(xs) == 0 or np.ptp(ys) == 0:
        return float("nan")
    return float(np.corrcoef(xs, ys)[0, 1])


def _correlations(xs: Sequence[float], ys: Sequence[float]) -> str:
    pearson, spearman = correlation(xs, ys), correlation(_ranks(xs), _ranks(ys))
    if pearson != pearson:
        return "no correlation, as one judge gives the same score to all,"
    return f"correlation {pearson:.2f}, of the ranks {spearman:.2f},"


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value; equal values share their mean rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.cumsum(counts) - (counts - 1) / 2
    ranks: list[float] = means[places].tolist()
    return ranks


def _place(value: float) -> float:
    """Return the middle of the cell that holds a score."""
    return (min(CELLS - 1, int(max(0.0, value) * CELLS)) + 0.5) / CELLS


def _short(judge: str) -> str:
    return judge.rpartition("/")[2]
