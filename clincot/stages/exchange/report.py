"""Rows as they are read -> what an import counts of them: those that are no pairs, and those left out, by reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from clincot.errors import DataError
from clincot.rows.formats.base import OtherPair, UnfitRow

SHOWN = 3  # places of each reason in a message


@dataclass
class Report:
    """Counts of an import; `broken` are rules by all rows that break them, `dropped` by the rows left out for them."""

    read: int = 0
    pairs: int = 0
    unfits: Counter[str] = field(default_factory=Counter)
    places: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    broken: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    unread: set[str] = field(default_factory=set)
    margins: int = 0

    def unfit(self, error: UnfitRow, where: str) -> None:
        """Count a row that is no pair."""
        self.unfits[error.reason] += 1
        if len(self.places[error.reason]) < SHOWN:
            said = str(error).removeprefix(error.reason).removeprefix(": ")
            self.places[error.reason].append(f"{where} ({said})" if said else where)

    def count(self, pair: OtherPair, broken: list[str]) -> None:
        """Count a pair and the rules that it breaks."""
        self.pairs += 1
        self.margins += pair.margin is not None
        self.broken.update(broken)

    def drop(self, rule: str) -> None:
        """Count a pair that is left out."""
        self.dropped[rule] += 1

    def check(self, name: str, most: float) -> None:
        """Raise DataError where more than the share `most` of the rows are no pairs, or none is left."""
        if not self.read:
            raise DataError(f"{name}: holds no rows. Name another file.")
        if self.unfits.total() > most * self.read:
            raise DataError(
                f"{name}: {self.unfits.total():,} of {self.read:,} rows are no pairs: {self.unfit_words()}."
                f" Correct them, or give a larger --max-broken ({most:g} now)."
            )
        if not self.pairs - self.dropped.total():
            raise DataError(f"{name}: no pair is left of {self.read:,}: {listed(self.dropped)}. Name other rows.")

    def unfit_words(self) -> str:
        """Return the reasons for rows that are no pairs, with the first places of each."""
        return "; ".join(
            f"{count:,} {reason}: {', '.join(self.places[reason])}" for reason, count in self.unfits.most_common()
        )

    def facts(self) -> dict[str, Any]:
        """Return what the lineage keeps: `drops` by reason, as of any round."""
        drops = {f"rows {reason}": count for reason, count in (self.unfits + self.dropped).items()}
        return {"rows_read": self.read, "drops": dict(sorted(drops.items()))}


def listed(counts: Counter[str]) -> str:
    """Return counts by reason in words."""
    return "; ".join(f"{count:,} {reason}" for reason, count in counts.most_common())
