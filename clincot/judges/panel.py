"""Statements -> one rating per judge, each alone or in a debate; unreadable replies stop the build."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial

from clincot.errors import ModelError, RecipeError
from clincot.judges._masses import FirstMasses
from clincot.judges.base import Judge, JudgeRequest, Rating
from clincot.judges.cache import CachedJudge, Recorded
from clincot.judges.consensus import DEBATE
from clincot.judges.debate import debate
from clincot.judges.scoring import mode_of
from clincot.lm.work import Work
from clincot.progress import notice
from clincot.recipe.parts import Judging

LEAST = 50  # ratings before a failure rate means something
SHOWN = 3


@dataclass
class Failures:
    """How many ratings a judge gave, how many could not be read, and the first of those."""

    rated: int = 0
    failed: int = 0
    shown: list[str] = field(default_factory=list)

    def count(self, requests: Sequence[JudgeRequest], ratings: Sequence[Rating]) -> None:
        read = [(request, rating) for request, rating in zip(requests, ratings, strict=True) if not rating.too_long]
        self.rated += len(read)
        for request, rating in read:
            if rating.value is None:
                self.failed += 1
                if len(self.shown) < SHOWN:
                    self.shown.append(_told(request, rating))

    @property
    def share(self) -> float:
        return self.failed / self.rated if self.rated else 0.0


class Panel:
    """The judges of a build; `failures` counts per judge what this process saw."""

    def __init__(self, judges: Sequence[Judge], judging: Judging) -> None:
        """Raise RecipeError for a debate without digits."""
        if judging.consensus == DEBATE and judging.scoring == "yesno":
            raise RecipeError(
                "build.judging.consensus: a debate is about digits, which scoring 'yesno' has none of."
                " Set build.judging.scoring to expected or generated."
            )
        self.judges = tuple(judges)
        self.judging = judging
        self.failures = {judge.name: Failures() for judge in self.judges}
        # Of a written reply the mass is that of its very words: a long one has little.
        modes = {judge.name: getattr(judge, "scoring", judging.scoring) for judge in self.judges}
        self._masses = {name: FirstMasses(name) for name, mode in modes.items() if mode_of(mode).replies}

    def for_shard(self) -> Panel:
        """Return the panel of one shard: failures add up over all of them, what is asked anew does not."""
        own = copy(self)
        own.judges = tuple(judge.for_shard() if isinstance(judge, CachedJudge) else judge for judge in self.judges)
        return own

    @property
    def names(self) -> tuple[str, ...]:
        """Return whose ratings `rate` returns: the judges', and in a debate its outcome after them."""
        own = tuple(judge.name for judge in self.judges)
        return (*own, DEBATE) if own and self.judging.consensus == DEBATE else own

    async def rate(self, requests: Sequence[JudgeRequest]) -> list[tuple[Rating, ...]]:
        """Return, per request, one rating per name; awaits each judge's work (lm/work.py), one judge after another.

        Raises ModelError when too many of a judge cannot be read.
        """
        if not self.judges:
            return [() for _ in requests]
        if self.judging.consensus == DEBATE:
            return await debate(self.judges, requests, self.judging.debate_rounds, self._rate)
        rated = [await self._rate(judge, requests) for judge in self.judges]
        return list(zip(*rated, strict=True))

    def take_fresh(self) -> tuple[Recorded, ...]:
        """Return what the judges of this shard rated and what was not known before; they forget it."""
        return tuple(r for judge in self.judges if isinstance(judge, CachedJudge) for r in judge.take_fresh())

    def warned(self, name: str) -> None:
        """Say nothing more of the mass of the judge called `name`: a warning has been given."""
        self._masses.pop(name, None)

    def forget(self) -> None:
        """Let the judges drop what they kept; called where a shard begins, its last digits depend on nothing before."""
        for judge in self.judges:
            if isinstance(judge, CachedJudge):
                judge.forget()

    async def _rate(self, judge: Judge, requests: Sequence[JudgeRequest]) -> list[Rating]:
        ratings = await Work(judge, partial(judge.rate, requests), len(requests))
        failures, limit = self.failures[judge.name], self.judging.failure_limit
        failures.count(requests, ratings)
        if judge.name in self._masses and (warning := self._masses[judge.name].count(ratings)):
            notice(warning)
        if failures.rated >= LEAST and failures.share > limit:
            raise ModelError(
                f"judge {judge.name}: {failures.failed} of {failures.rated} ratings cannot be read, more than"
                f" build.judging.failure_limit = {limit:g} allows. {' '.join(failures.shown)}"
                " Choose another judge or build.judging.scoring, or raise the limit."
            )
        return ratings


def _told(request: JudgeRequest, rating: Rating) -> str:
    found = (
        f"mass {rating.mass:.3f} on the replies asked for" if rating.reply is None else f"reply {rating.reply[:80]!r}"
    )
    return f"Question {request.question[:80]!r}, statement {request.statement[:80]!r}: {found}."
