"""Two ends -> a range of numbers, which a recipe field carries in its type, next to its default."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`; `above` leaves `low` itself out and `below` leaves `high` out.

    A field of a recipe is written `Annotated[float, Range(0, 1)] = 0.5`: type, range, default.
    """

    low: float
    high: float = math.inf
    above: bool = False
    below: bool = False

    def __contains__(self, value: float) -> bool:
        """Return whether `value` is in the range; NaN and infinities never are."""
        if isinstance(value, float) and not math.isfinite(value):
            return False
        over = value > self.low if self.above else value >= self.low
        return over and (value < self.high if self.below else value <= self.high)

    def __str__(self) -> str:
        """Return the range as messages name it: `from 0 to 1`, `above 0 and at most 1`."""
        if not (self.above or self.below):
            return f"from {self.low:,}" if self.high == math.inf else f"from {self.low:,} to {self.high:,}"
        low = f"above {self.low:,}" if self.above else f"at least {self.low:,}"
        high = f"below {self.high:,}" if self.below else f"at most {self.high:,}"
        return low if self.high == math.inf else f"{low} and {high}"
