"""What a probe found of one policy -> one line of its table: a value, that of its control, their paired difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from clincot.metrics.base import mean
from clincot.records import Example
from clincot.stages.evaluate.results import Resampling, Row, Scored

Unit = Literal["share", "points", "words", "correlation"]
MEAN = mean(lambda value, _: value)


@dataclass(frozen=True)
class Probed:
    """One number of a probe with a 95 % interval over images, and what its control gives on the same questions.

    `measure` says what is counted, `what` what was done for it, `control` what was done instead. `low`, `high` and the
    `difference` (value minus control, on the same resamples) are nan where nothing can be resampled. `n` counts
    questions (`of`: or pairs, candidates, findings), `control_n` those of the control, where they are others. `unit`:
    shares and their differences are in [0, 1] and [-1, 1].
    """

    probe: str
    measure: str
    what: str
    policy: str
    inference: str
    value: float
    low: float
    high: float
    control: str
    control_value: float
    difference: float
    difference_low: float
    difference_high: float
    n: int
    control_n: int
    unit: Unit = "share"
    of: str = "questions"

    @property
    def row(self) -> Row:
        """Return the row of the table that the number is about."""
        return Row(self.policy, self.inference)

    @property
    def undecided(self) -> bool:
        """Whether the interval of the difference holds 0 or could not be computed."""
        return not (self.difference_low > 0 or self.difference_high < 0)


@dataclass(frozen=True)
class Line:
    """What names a line; `Probed` has the same fields."""

    probe: str
    measure: str
    what: str
    control: str
    policy: str = ""
    inference: str = ""
    unit: Unit = "share"
    of: str = "questions"

    def probed(self, value: Scored, control: Scored) -> Probed:
        """Return the line with both values and their difference on the same resamples."""
        difference = Scored(value.value - control.value, value.draws - control.draws, value.n)
        (low, high), (least, most) = value.interval(), difference.interval()
        return Probed(
            **vars(self),
            value=value.value,
            low=low,
            high=high,
            control_value=control.value,
            difference=difference.value,
            difference_low=least,
            difference_high=most,
            n=value.n,
            control_n=control.n,
        )


def on_common(
    line: Line,
    resampling: Resampling,
    examples: Mapping[str, Example],
    values: Mapping[str, float],
    control: Mapping[str, float],
) -> Iterator[Probed]:
    """Yield the line of two means over the questions (example id -> value) that both have; nothing without any."""
    common = [name for name in values if name in control and name in examples]
    means = (resampling.score([(examples[n], (one[n], 1.0)) for n in common], MEAN) for one in (values, control))
    first, second = means
    if first is not None and second is not None:
        yield line.probed(first, second)


def constant(resampling: Resampling, value: float, n: int) -> Scored:
    """Return a value that is the same in every resample."""
    return Scored(value, np.full(len(resampling.counts), value), n)
