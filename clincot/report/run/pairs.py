"""Stored pairs of each round -> figures of their margins, their scores, their lengths and of what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clincot.report.figures.charts import bars, histogram
from clincot.report.figures.figure import Cell, Figure, Missing, Section, counted

Row = Mapping[str, Any]
BINS = 20
SIDES = ("chosen", "rejected")


def margins_figure(pairs: Mapping[str, Sequence[Row]]) -> Section:
    """Draw how far the scores of chosen and rejected text lie apart, a line for each round."""
    gaps = {
        name: [row["chosen_score"] - row["rejected_score"] for row in rows if _scored(row)]
        for name, rows in pairs.items()
    }
    gaps = {name: some for name, some in gaps.items() if some}
    title = "Margins of the pairs"
    if not gaps:
        return Missing(title, "No round has pairs with scores: its pairs were not judged.")
    edges = _edges(min(0.0, *map(min, gaps.values())), max(1.0, *map(max, gaps.values())))
    counts = {name: counted(some, edges) for name, some in gaps.items()}
    panel = histogram("score of chosen - rejected text", edges, counts, ("margin", "pairs"))
    notes = (f"Pairs with scores: {', '.join(f'{name} {len(some):,}' for name, some in gaps.items())}.",)
    rows = _binned(edges, {(name,): some for name, some in counts.items()})
    return Figure("margins", title, notes, (panel,), ("round", "from", "to", "pairs"), rows)


def scores_figure(pairs: Mapping[str, Sequence[Row]]) -> Section:
    """Draw the scores of chosen and of rejected texts, a panel for each round."""
    edges = _edges(0.0, 1.0)
    values = {name: [row for row in rows if _scored(row)] for name, rows in pairs.items()}
    counts = {
        (name, side): counted([row[f"{side}_score"] for row in rows], edges)
        for name, rows in values.items()
        if rows
        for side in SIDES
    }
    title = "Scores of chosen and rejected texts"
    if not counts:
        return Missing(title, "No round has pairs with scores: its pairs were not judged.")
    panels = tuple(
        histogram(name, edges, {side: counts[name, side] for side in SIDES}, ("score", "pairs"))
        for name in dict.fromkeys(name for name, _ in counts)
    )
    notes = ("Consensus of the judges, in [0, 1]. A text of several pairs counts in each.",)
    return Figure("scores", title, notes, panels, ("round", "side", "from", "to", "pairs"), _binned(edges, counts))


def lengths_figure(pairs: Mapping[str, Sequence[Row]]) -> Section:
    """Draw the lengths of chosen and of rejected texts in words, a panel for each round."""
    values = {
        (name, side): [len(row[side].split()) for row in rows] for name, rows in pairs.items() if rows for side in SIDES
    }
    title = "Lengths of chosen and rejected texts"
    if not values:
        return Missing(title, "No round has pairs.")
    most = max(map(max, values.values()))
    step = max(1, -(-(most + 1) // BINS))
    edges = [float(edge) for edge in range(0, most + step + 1, step)]
    counts = {key: counted(some, edges) for key, some in values.items()}
    panels = tuple(
        histogram(name, edges, {side: counts[name, side] for side in SIDES}, ("words", "pairs"))
        for name in dict.fromkeys(name for name, _ in counts)
    )
    means = {key: sum(some) / len(some) for key, some in values.items()}
    said = [
        f"{name}: chosen {means[name, 'chosen']:.1f}, rejected {means[name, 'rejected']:.1f}"
        for name in pairs
        if pairs[name]
    ]
    notes = (f"Mean words: {'; '.join(said)}.", "Where the sides differ in length, training may learn the length.")
    return Figure("lengths", title, notes, panels, ("round", "side", "from", "to", "pairs"), _binned(edges, counts))


def drops_figure(built: Mapping[str, Mapping[str, Any]], trained: Mapping[str, Mapping[str, Any]]) -> Section:
    """Draw what each round left out by reason, from the facts of the dataset's and of the adapter's lineage."""
    counts: dict[tuple[str, str], int] = {}
    for facts, key in ((built, "drops"), (trained, "dropped_pairs")):
        for name, held in facts.items():
            for reason, count in held.get(key, {}).items():
                said = reason if key == "drops" else f"pairs not trained on: {reason}"
                counts[said, name] = counts.get((said, name), 0) + count
    counts = {key: count for key, count in counts.items() if count}
    title = "What was left out"
    if not counts:
        return Missing(title, "Nothing was left out.")
    rounds = list(dict.fromkeys((*built, *trained)))
    reasons = list(dict.fromkeys(reason for reason, _ in counts))
    rows = {reason: [counts.get((reason, name), 0) for name in rounds] for reason in reasons}
    kept = ", ".join(f"{name} {held['pairs']:,}" for name, held in built.items() if "pairs" in held)
    return Figure(
        "drops",
        title,
        (f"Pairs that are left: {kept}.",),
        (bars("by reason", rows, rounds, "count"),),
        ("reason", "round", "count"),
        tuple((reason, name, counts.get((reason, name), 0)) for reason in reasons for name in rounds),
    )


def _scored(row: Row) -> bool:
    return row["chosen_score"] is not None and row["rejected_score"] is not None


def _edges(low: float, high: float) -> list[float]:
    return [low + (high - low) * i / BINS for i in range(BINS)] + [high]


def _binned(edges: Sequence[float], counts: Mapping[Any, Sequence[int]]) -> tuple[tuple[Cell, ...], ...]:
    """Return a row for each key (a tuple) and bin: the key, both edges, the count."""
    return tuple((*key, edges[i], edges[i + 1], count) for key, some in counts.items() for i, count in enumerate(some))
