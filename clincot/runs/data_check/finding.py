"""Cases of one kind -> a finding that counts them and names the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NAMED = 5  # cases that a finding names


@dataclass(frozen=True)
class Finding:
    """`count` cases of `what`, the first of them in `cases`; a `fault` has to be corrected as `advice` says."""

    fault: bool
    what: str
    count: int
    cases: tuple[str, ...]
    advice: str

    @classmethod
    def of(cls, fault: bool, what: str, cases: Sequence[str], advice: str) -> tuple[Finding, ...]:
        """Return the finding of `cases`, or nothing for no case."""
        return (cls(fault, what, len(cases), tuple(cases[:NAMED]), advice),) if cases else ()
