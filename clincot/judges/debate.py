"""Statements and judges -> ratings and an outcome: each judge is shown the last digit, until all agree in a row.

After MMedPO (docs/methods.md#mmedpo): the first judge scores, each next one repeats the score or gives a new one, at
most `rounds` rounds; without agreement the mean of the history counts. Our choices: judges are shown digits (round(9
s)) and the outcome of an agreement is the mean of the scores behind the agreeing digits, which for written digits is
the digit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from clincot.judges.base import Judge, JudgeRequest, Rating
from clincot.judges.scoring import TOP

Rate = Callable[[Judge, Sequence[JudgeRequest]], Awaitable[list[Rating]]]


@dataclass
class _Floor:
    """One statement under debate: whose last rating is which, and what was said so far."""

    request: JudgeRequest
    judges: int
    said: list[float] = field(default_factory=list)
    last: dict[int, Rating] = field(default_factory=dict)
    failed: bool = False

    def hear(self, judge: int, rating: Rating) -> None:
        self.last[judge] = rating
        if rating.value is None:
            self.failed = True
        else:
            self.said.append(rating.value)

    @property
    def asked(self) -> JudgeRequest:
        return replace(self.request, earlier=digit(self.said[-1])) if self.said else self.request

    @property
    def agreed(self) -> bool:
        row = self.said[-self.judges :]
        return len(row) == self.judges and len({digit(value) for value in row}) == 1

    @property
    def open(self) -> bool:
        """Ask every judge once, so that each one has a rating, even after one that failed."""
        return len(self.last) < self.judges or not (self.failed or self.agreed)

    def ratings(self) -> tuple[Rating, ...]:
        own = [self.last[judge] for judge in range(self.judges)]
        heard = self.said[-self.judges :] if self.agreed else self.said
        outcome = None if self.failed else sum(heard) / len(heard)
        return (*own, Rating(outcome, min(rating.mass for rating in own)))


def digit(value: float) -> int:
    """Return the digit of the rubric for a score in [0, 1]."""
    return round(TOP * value)


async def debate(
    judges: Sequence[Judge], requests: Sequence[JudgeRequest], rounds: int, rate: Rate
) -> list[tuple[Rating, ...]]:
    """Return, per request, each judge's last rating and after them the debate's outcome; all debates advance together.

    One judge: its rating is the outcome. A rating that cannot be read fails its debate: outcome None. `rate` calls a
    judge. The outcome's mass is the least of the judges'.
    """
    floors = [_Floor(request, len(judges)) for request in requests]
    for _ in range(max(1, rounds)):
        for place, judge in enumerate(judges):
            still = [floor for floor in floors if floor.open]
            if still:
                ratings = await rate(judge, [floor.asked for floor in still])
                for floor, rating in zip(still, ratings, strict=True):
                    floor.hear(place, rating)
    return [floor.ratings() for floor in floors]
