"""An evaluation and a protocol -> the mark of each result: not shown to differ from a control, or below one."""

from __future__ import annotations

from typing import NamedTuple

from clincot import protocols
from clincot.stages.evaluate import Evaluation
from clincot.stages.evaluate.results import Comparison, Row

UNDECIDED, BELOW = "°", "▼"
CONTROL_NAMES = {
    "black_image": "black image",
    "shuffled_images": "shuffled images",
    "question_prior": "question prior",
    "constant_template": "constant template",
    "random_report": "random train report",
}
NOTE = (
    f"Percent, 95 % interval over images. {UNDECIDED}: the paired difference from one of the row's controls includes 0."
    f" {BELOW}: a control is better."
)


class Against(NamedTuple):
    """The controls that a result is not shown to differ from, and those that are shown to be better."""

    undecided: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        return (UNDECIDED if self.undecided else "") + (BELOW if self.below else "")


def row_name(row: Row) -> str:
    """Return how a table calls a row: `round-1 · region`, `round-1 · region · black image`, `question prior`."""
    return " · ".join(part for part in (row.policy, row.inference, CONTROL_NAMES.get(row.control, row.control)) if part)


def against_controls(evaluation: Evaluation, label: str) -> dict[tuple[Row, str], Against]:
    """Return (row, metric) -> its mark against the row's controls under the protocol `label`."""
    lower = {measure.name: measure.lower for measure in protocols.load(label).measures if measure.marked}
    found: dict[tuple[Row, str], Against] = {}
    for c in evaluation.comparisons:
        if c.protocol != label or c.against not in CONTROL_NAMES or c.metric not in lower:
            continue
        key = (Row(c.policy, c.inference), c.metric)
        undecided, below = found.get(key, Against())
        if c.undecided:
            found[key] = Against((*undecided, c.against), below)
        elif is_worse(c, lower=lower[c.metric]):
            found[key] = Against(undecided, (*below, c.against))
    return found


def is_worse(comparison: Comparison, *, lower: bool) -> bool:
    """Whether the whole interval says that the row is worse; `lower`: smaller values are better."""
    return comparison.low > 0 if lower else comparison.high < 0
