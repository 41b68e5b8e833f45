"""A part of a recipe, a frozen dataclass -> what its docstring says of each field, and what each field takes."""

from __future__ import annotations

import inspect
import re
from typing import Annotated, Any, Literal, get_args, get_origin

from clincot.recipe.lora_options import LORA
from clincot.recipe.option_kinds import Option
from clincot.recipe.served import OneOrMore
from clincot.recipe.training_options import DPO, SFT, Rule

PASSED: dict[tuple[str, ...], dict[str, Rule]] = {("train", "dpo"): DPO, ("train", "lora"): LORA, ("train", "sft"): SFT}
SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-Z`\"])")
KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def summary(cls: type) -> str:
    """Return the first sentence of a part's docstring."""
    return _sentences(cls)[0]


def meaning(cls: type, name: str) -> tuple[str, ...]:
    """Return the sentences of a part's docstring that begin with a field's name, else those that have it."""
    said = _sentences(cls)
    begin = re.compile(rf"(`\w+`, )*`{name}`")
    return tuple([one for one in said if begin.match(one)] or [one for one in said if f"`{name}`" in one])


def takes(hint: Any) -> str:
    """Return what a field with this type takes, in words: its kind and range, or its choices."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        limits = inner[1]
        return limits.what if isinstance(limits, OneOrMore) else f"{KINDS[inner[0]]} {limits}"
    if origin is Literal:
        return " | ".join(inner)
    if origin is tuple:
        return f"a list of: {takes(inner[0])}"
    return "`key: value` lines" if origin is dict else KINDS.get(hint, "a value")


def takes_passed(path: tuple[str, ...]) -> str:
    """Return what a setting of another library takes (`train.dpo.beta`), "" for one that has no rule here."""
    rule = PASSED.get(path[:2], {}).get(path[2])
    if not isinstance(rule, Option):
        return ""
    return " | ".join(rule.choices) if rule.choices else rule.words()


def _sentences(cls: type) -> list[str]:
    return SENTENCE.split(" ".join(inspect.cleandoc(cls.__doc__ or "").split()))
