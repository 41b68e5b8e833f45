"""Results of an evaluation -> a figure of the base and the rounds: headline measures with intervals and controls."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from clincot import protocols
from clincot.report.figures.charts import Series, line_chart
from clincot.report.figures.drawing import Drawing
from clincot.report.figures.figure import Figure
from clincot.stages.evaluate.marks import row_name
from clincot.stages.evaluate.results import Result, Row

HEADER = ("measure", "policy", "inference", "control", "value", "low", "high", "n")


def rounds_figure(results: Sequence[Result], label: str) -> Figure:
    """Draw the headline measures of the protocol `label` that counted anything, a panel for each."""
    whole = [r for r in results if r.protocol == label and not r.by and math.isfinite(r.value)]
    titles = {m.name: m.title for m in protocols.load(label).measures if m.headline}
    policies = list(dict.fromkeys(r.policy for r in whole if r.policy))
    panels, rows = [], []
    for metric, title in titles.items():
        some = {r.row: r for r in whole if r.metric == metric}
        rows += [_row(r) for r in some.values()]
        if any(r.value for r in some.values()):  # a measure that is 0 in every row shows nothing
            panels.append(_panel(title, some, policies))
    return Figure(
        "rounds",
        "Rounds over time",
        (
            f"Percent under protocol {label}, with 95 % intervals over images.",
            "Controls see no image, a black one or another one: a policy that uses the image lies above them.",
        ),
        tuple(panels),
        HEADER,
        tuple(rows),
    )


def _panel(title: str, some: Mapping[Row, Result], policies: Sequence[str]) -> Drawing:
    places = {float(i): policy for i, policy in enumerate(policies)}
    return line_chart(title, list(_series(some, policies)), ("", "percent"), places)


def _series(some: Mapping[Row, Result], policies: Sequence[str]) -> Iterator[Series]:
    """Yield a line for each inference, the controls of the first inference, and flat ones of those without a policy."""
    kinds = list(dict.fromkeys((row.inference, row.control) for row in some if row.policy))
    first = kinds[0][0] if kinds else ""
    for inference, control in kinds:
        if control and inference != first:
            continue
        found = [(float(i), some.get(Row(policy, inference, control))) for i, policy in enumerate(policies)]
        yield _line(row_name(Row("", inference, control)), [(x, r) for x, r in found if r is not None])
    for row, result in some.items():
        if not row.policy:
            yield _line(row_name(row), [(float(i), result) for i in range(len(policies))], intervals=False)


def _line(name: str, found: Sequence[tuple[float, Result]], *, intervals: bool = True) -> Series:
    points = tuple((x, 100 * r.value) for x, r in found)
    return Series(name, points, tuple(_bar(r) for _, r in found) if intervals else ())


def _bar(r: Result) -> tuple[float, float]:
    """Return the ends of a bar in percent; of one image there is no interval, and a dot alone."""
    low, high = (end if math.isfinite(end) else r.value for end in (r.low, r.high))
    return 100 * low, 100 * high


def _row(r: Result) -> tuple[str | float | int, ...]:
    return r.metric, r.policy, r.inference, r.control, r.value, r.low, r.high, r.n
