"""What a check found -> a line for a person, or an error where something fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from clincot.errors import ModelError


@dataclass(frozen=True)
class Finding:
    """What was checked, how it went and what was found, with what to do where it did not go well."""

    name: str
    level: Literal["ok", "warns", "fails"]
    says: str

    def __str__(self) -> str:
        return f"{self.level:5}  {self.name}: {self.says}"


def ok(name: str, says: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(name, "ok", says)


def warns(name: str, says: str) -> Finding:
    """Return a finding that a user should know."""
    return Finding(name, "warns", says)


def fails(name: str, says: str) -> Finding:
    """Return a finding that stops a round."""
    return Finding(name, "fails", says)


def refuse_failures(findings: Iterable[Finding], where: str) -> None:
    """Raise ModelError with the first finding that fails, and how many more do."""
    failed = [finding for finding in findings if finding.level == "fails"]
    if failed:
        more = f" {len(failed) - 1} more checks fail." if len(failed) > 1 else ""
        raise ModelError(f"{where}: {failed[0].name}: {failed[0].says}{more}")
