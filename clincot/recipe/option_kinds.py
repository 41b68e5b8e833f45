"""A setting's name, value and rule -> nothing, or a RecipeError that says what the setting takes and what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from clincot.errors import RecipeError, did_you_mean

Kind = Literal["int", "number", "flag", "text", "texts", "counts", "map", "any"]
WORDS = {
    "int": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "text": "a text",
    "texts": "a text or a list of texts",
    "counts": "a whole number or a list of them",
    "map": "`key: value` lines",
}


@dataclass(frozen=True)
class Option:
    """What a setting takes: its kind, its bounds, its choices, and values that are refused with a reason.

    `least` and `most` are allowed themselves, `above` and `below` are not; a number above `whole_above` is whole.
    """

    kind: Kind
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    whole_above: float | None = None
    choices: tuple[str, ...] = ()
    refused: Mapping[Any, str] = field(default_factory=dict)
    null: bool = False

    def check(self, where: str, name: str, value: Any) -> None:
        """Raise RecipeError unless the setting takes `value`."""
        if value is None and self.null:
            return
        if not isinstance(value, list | dict) and value in self.refused and not isinstance(value, bool):
            raise RecipeError(f"{where}.{name}: {value!r} cannot be used here: {self.refused[value]}.")
        if self.choices and (not isinstance(value, str) or value not in self.choices):
            # YAML reads no, off and false as one value.
            known = " Write 'no' in quotes." if value is False and "no" in self.choices else ""
            known = known or did_you_mean(str(value), self.choices)
            raise RecipeError(f"{where}: {name} {value!r} is not a choice.{known}")
        if self.kind != "any" and not _is(self.kind, value):
            raise RecipeError(f"{where}.{name}: expected {WORDS[self.kind]}, found {value!r}. Give {self.words()}.")
        if isinstance(value, int | float) and not isinstance(value, bool) and not self._within(value):
            raise RecipeError(f"{where}.{name}: {value!r} is out of range. Give {self.words()}.")

    def words(self) -> str:
        """Return what the setting takes, in words."""
        bounds = {"of at least": self.least, "of at most": self.most, "above": self.above, "below": self.below}
        limits = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
        whole = f", whole above {self.whole_above:g}" if self.whole_above is not None else ""
        return f"{WORDS.get(self.kind, 'another value')}{' ' + limits if limits else ''}{whole}"

    def _within(self, value: float) -> bool:
        low = (self.least is None or value >= self.least) and (self.above is None or value > self.above)
        high = (self.most is None or value <= self.most) and (self.below is None or value < self.below)
        whole = self.whole_above is None or value <= self.whole_above or float(value).is_integer()
        return math.isfinite(value) and low and high and whole


@dataclass(frozen=True)
class Idle:
    """A setting that cannot act here: only `value`, the library's default, and `also` pass."""

    value: Any
    reason: str
    also: tuple[Any, ...] = ()

    def check(self, where: str, name: str, value: Any) -> None:
        """Raise RecipeError unless `value` changes nothing."""
        if not any(_same(value, known) for known in (self.value, *self.also)):
            raise RecipeError(f"{where}.{name}: {value!r} cannot act here: {self.reason}. Remove it.")


@dataclass(frozen=True)
class Fixed:
    """A setting that has one value here, with any default of the library."""

    value: Any

    def check(self, where: str, name: str, value: Any) -> None:
        """Raise RecipeError unless `value` is the fixed one."""
        if not _same(value, self.value):
            raise RecipeError(f"{where}.{name}: is always {self.value!r} here. Remove it.")


@dataclass(frozen=True)
class Kept:
    """A setting that clincot decides from the recipe or the device; another value is refused when that is known."""

    reason: str

    def check(self, where: str, name: str, value: Any) -> None:
        """Raise nothing: what it must equal is known where the trainer's arguments are made."""


FLAG = Option("flag")


def count(least: int) -> Option:
    """Return a whole number of at least `least`."""
    return Option("int", least=least)


def number(**bounds: float) -> Option:
    """Return a finite number within bounds, which are named as in Option."""
    return Option("number", **bounds)  # type: ignore[arg-type]


def fraction() -> Option:
    """Return a number from 0 up to 1, 1 excluded."""
    return Option("number", least=0, below=1)


def one_of(*choices: str, refused: Mapping[Any, str] | None = None) -> Option:
    """Return one of `choices`; `refused` are known values that cannot be used, each with the reason."""
    return Option("text", choices=choices, refused=refused or {})


def optional(option: Option) -> Option:
    """Return the same option, null allowed."""
    return replace(option, null=True)


def _same(one: Any, other: Any) -> bool:
    """Return whether values are equal in kind too: 0 is not False."""
    return (
        type(one) is type(other)
        and bool(one == other)
        or (_is("number", one) and _is("number", other) and one == other)
    )


def _is(kind: Kind, value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    tests = {
        "int": whole,
        "number": whole or isinstance(value, float),
        "flag": isinstance(value, bool),
        "text": isinstance(value, str),
        "texts": isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str) for v in value)),
        "counts": whole or (isinstance(value, list) and all(_is("int", v) for v in value)),
        "map": isinstance(value, dict),
    }
    return tests.get(kind, True)
