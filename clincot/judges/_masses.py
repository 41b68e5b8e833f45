"""A judge's first ratings -> one warning where it hardly ever gives the replies that are weighed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from clincot.judges.base import Rating

FIRST = 20  # ratings
LEAST_MEDIAN = 0.5  # judges that reply as asked put .9 and more there (docs/methods.md#judges)


@dataclass
class FirstMasses:
    """The masses of the first FIRST ratings of one judge."""

    judge: str
    masses: list[float] = field(default_factory=list)

    def count(self, ratings: Sequence[Rating]) -> str | None:
        """Count `ratings`; return the warning once, when FIRST are there and their median is low."""
        if len(self.masses) >= FIRST:
            return None
        self.masses += [rating.mass for rating in ratings if not rating.too_long][: FIRST - len(self.masses)]
        middle = median(self.masses) if len(self.masses) == FIRST else 1.0
        if middle >= LEAST_MEDIAN:
            return None
        ends = f"{min(self.masses):.3f} to {max(self.masses):.3f}"
        return (
            f"warning: judge {self.judge}: median mass {middle:.3f} ({ends}) on the replies asked for, in its first"
            f" {FIRST} ratings; {LEAST_MEDIAN:g} and more is usual. Its scores say little."
            " Stop the build, and set build.judging.prefill ('Rating: ') or choose another judge."
        )
