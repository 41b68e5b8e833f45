"""The numbers of probes -> tables for a terminal and Markdown: value, control and their paired difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from clincot.stages.evaluate.marks import UNDECIDED, row_name
from clincot.stages.evaluate.probes import Probed

Grid = tuple[list[str], list[list[str]]]
SCALE = {"share": 100, "points": 100, "words": 1, "correlation": 1}
DIGITS = {"share": 1, "points": 1, "words": 1, "correlation": 2}
IN = {"share": "percent", "points": "points", "words": "mean", "correlation": "-1 to 1"}
PROBE_NOTE = (
    "Probes: 95 % intervals over images; value and control are of the same questions, or n says of how many each is."
    f" {UNDECIDED}: the difference may be 0. What each measures: docs/evaluation.md."
)


def probe_grids(probes: Sequence[Probed]) -> list[tuple[str, Grid]]:
    """Return (title, header and lines) for each thing that was measured: a line for each policy and inference."""
    groups: dict[str, list[Probed]] = {}
    for one in probes:
        groups.setdefault(_title(one), []).append(one)
    return [(title, _grid(some)) for title, some in groups.items()]


def short_probe_grids(probes: Sequence[Probed]) -> list[tuple[str, Grid, str]]:
    """Return (title, header and lines, controls) for each measure, of the newest policy as it was asked first."""
    asked = [one for one in probes if one.inference]
    newest = asked[-1].policy if asked else ""
    newest = next((one.policy for one in reversed(asked) if one.policy.startswith("round")), newest)
    way = next((one.inference for one in asked if one.policy == newest), "")
    groups: dict[str, list[Probed]] = {}
    for one in probes:
        if one.policy == newest and one.inference in (way, ""):
            groups.setdefault(f"{one.measure}, {IN[one.unit]}: {row_name(one.row)}", []).append(one)
    return [(title, _grid(some, by_what=True), _controls(some)) for title, some in groups.items()]


def _controls(some: Sequence[Probed]) -> str:
    names = [one.control for one in some]
    return f"Control: {names[0]}." if len(set(names)) == 1 else f"Controls, line by line: {', '.join(names)}."


def probe_tables(probes: Sequence[Probed]) -> list[dict[str, Any]]:
    """Return the tables as plain values, for lineages and cards."""
    return [{"title": title, "header": header, "lines": lines} for title, (header, lines) in probe_grids(probes)]


def _title(one: Probed) -> str:
    return f"{one.measure}, {IN[one.unit]}: {one.what} (control: {one.control})"


def _grid(some: Sequence[Probed], *, by_what: bool = False) -> Grid:
    lines = [
        [
            one.what if by_what else row_name(one.row),
            _range(one, one.value, one.low, one.high),
            _number(one, one.control_value),
            _range(one, one.difference, one.difference_low, one.difference_high, signed=True)
            + (UNDECIDED if one.undecided else ""),
            str(one.n) if one.n == one.control_n else f"{one.n} / {one.control_n}",
        ]
        for one in some
    ]
    return ["", "value", "control", "value - control", "n" if some[0].of == "questions" else some[0].of], lines


def _range(one: Probed, value: float, low: float, high: float, *, signed: bool = False) -> str:
    ends = ", ".join(_number(one, end, signed=signed) for end in (low, high))
    return f"{_number(one, value, signed=signed)} [{ends}]"


def _number(one: Probed, value: float, *, signed: bool = False) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{SCALE[one.unit] * value:{'+' if signed else ''}.{DIGITS[one.unit]}f}"
