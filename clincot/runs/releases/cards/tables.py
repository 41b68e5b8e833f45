"""Results in lineages -> the tables and the model-index of a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clincot.runs.releases.cards.rendering import Ordered, distinct, number
from clincot.stages.evaluate.marks import CONTROL_NAMES

Row = Mapping[str, Any]


def all_rows(rounds: Ordered) -> list[Row]:
    """Return the rows of all rounds; a later evaluation of the same thing replaces the earlier."""
    rows: dict[tuple[Any, ...], Row] = {}
    for _, lineage in rounds:
        for row in lineage.facts.get("rows", ()):
            rows[tuple(row.get(key) for key in ("protocol", "policy", "inference", "metric"))] = row
    return list(rows.values())


def tables(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return a table per protocol: a line per policy, inference and control, a column per headline metric.

    `intervals`, `marks` and `controls` say what a reader needs explained: 95 % intervals, marks, names of controls.
    """
    made = []
    for protocol in distinct(row.get("protocol") for row in rows):
        shown = [row for row in rows if row.get("protocol") == protocol and row.get("headline", True)]
        cells = {(_label(row), row.get("metric")): _percent(row) for row in shown}
        names = {row.get("metric"): row.get("title") or row.get("metric") for row in shown}
        counts = {name: {row.get("n") for row in shown if row.get("metric") == name} for name in names}
        header = [f"{names[n]} (n {number(*counts[n])})" if len(counts[n]) == 1 else names[n] for n in names]
        lines = [[label, *(cells.get((label, n), "") for n in names)] for label in distinct(map(_label, shown))]
        made.append({"protocol": protocol, "header": header, "lines": lines} | _explained(shown))
    return made


def model_index(repo: str, rounds: Ordered, evaluations: Ordered) -> list[dict[str, Any]]:
    """Return the Hub's model-index of the rows that this repo's rounds earned (not those of the base or a control)."""
    headlines = [row for row in all_rows(evaluations) if row.get("headline", True) and row.get("value") is not None]
    ours = [row for row in headlines if row.get("policy") in dict(rounds)]
    if not ours:
        return []
    last = evaluations[-1][1]
    pin = last.pins.get("benchmark")
    dataset = {
        "name": last.facts.get("called", last.benchmark),
        "type": (pin.repo if pin else last.benchmark).removeprefix("./"),
    }
    dataset |= {"split": last.facts.get("split", "test")} | ({"revision": pin.sha} if pin else {})
    metrics = [{"type": r["metric"], "value": r["value"], "name": _metric_name(r)} for r in ours if r.get("metric")]
    result = {"task": {"type": "visual-question-answering"}, "dataset": dataset, "metrics": metrics}
    return [{"name": repo.split("/")[-1], "results": [result]}]


def _explained(rows: Sequence[Row]) -> dict[str, Any]:
    last = [str(row.get("policy", "")).split(" · ")[-1] for row in rows]
    return {
        "intervals": any(row.get("low") is not None for row in rows),
        "marks": "".join(distinct(str(row.get("mark", "")) for row in rows)),
        "controls": distinct(name for name in last if name in CONTROL_NAMES.values()),
    }


def _label(row: Row) -> str:
    """Return how a line is called; controls carry their inference in their name already."""
    policy, inference = str(row.get("policy", "")), row.get("inference")
    return policy if " · " in policy or not inference else f"{policy} · {inference}"


def _percent(row: Row) -> str:
    if row.get("value") is None:
        return ""
    interval = f" [{100 * row['low']:.1f}, {100 * row['high']:.1f}]" if row.get("low") is not None else ""
    return f"{100 * row['value']:.1f}{interval}{row.get('mark', '')}"


def _metric_name(row: Row) -> str:
    interval = f", 95% {number(row['low'])} to {number(row['high'])}" if row.get("low") is not None else ""
    count = f", n {row['n']}" if row.get("n") is not None else ""
    return f"{row['metric']} ({row['policy']}, {row.get('inference', '')}, {row.get('protocol', '')}{count}{interval})"
