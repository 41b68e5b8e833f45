"""A recipe's `method` (its name, or name and numbers) -> `MethodChoice`: the name and the method's own `Config`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clincot.errors import ClincotError, RecipeError
from clincot.recipe.choices import check, choose
from clincot.recipe.plugins import Table
from clincot.recipe.values import build, deep_merge, shown

# Names are values of a recipe, so their table is here; the classes are imported when a recipe names them.
METHODS = Table(
    "methods",
    {
        "clincot": "clincot.methods.clincot:ClinCoT",
        "copo": "clincot.methods.copo:Copo",
        "dpo": "clincot.methods.dpo:Dpo",
        "fisao": "clincot.methods.fisao:Fisao",
        "judged_answers": "clincot.methods.judged_answers:JudgedAnswers",
        "mdpo": "clincot.methods.mdpo:Mdpo",
        "mmedpo": "clincot.methods.mmedpo:Mmedpo",
        "povid": "clincot.methods.povid:Povid",
        "povid_lite": "clincot.methods.povid_lite:PovidLite",
        "self_rewarding": "clincot.methods.self_rewarding:SelfRewarding",
        "sft": "clincot.methods.sft:Sft",
        "sima": "clincot.methods.sima:Sima",
        "stllava_med": "clincot.methods.stllava_med:StllavaMed",
        "uv_cot": "clincot.methods.uv_cot:UvCot",
    },
)
STEPS, HYPOTHESES = 2, 6  # of region inference, for methods that have no chain or regions


@dataclass(frozen=True)
class MethodChoice:
    """The method of a recipe: its name in `METHODS` (or `module:Class`, `./file.py:Class`) and its own numbers.

    `config` is an instance of the method's frozen dataclass `Config`. A Config may have `check()`, which raises
    RecipeError for values that exclude each other, and `scores_in_range`, false where scores may leave [0, 1].
    """

    name: str
    config: Any

    @property
    def steps(self) -> int:
        """Return how many texts the method's chain has, 2 for a method without one."""
        return int(getattr(self.config, "steps", STEPS))

    @property
    def hypotheses(self) -> int:
        """Return how many hypotheses of an image are looked for, 6 where the method does not say."""
        return int(getattr(self.config, "candidates", HYPOTHESES))

    @property
    def scores_in_range(self) -> bool:
        """Return whether the method's scores lie in [0, 1]."""
        return bool(getattr(self.config, "scores_in_range", True))

    def tree(self) -> dict[str, Any]:
        """Return name and numbers as a recipe writes them."""
        return {"name": self.name, **dataclasses.asdict(self.config)}


def layered(layers: Sequence[Mapping[str, Any]], where: str) -> dict[str, Any]:
    """Return name and numbers of the last method that a layer names; later layers win over earlier ones.

    A layer gives `method` (a name, or a mapping) and `methods` (name -> numbers). Numbers that a layer gives for
    another method are left out. Raises RecipeError for what is neither, and for unknown names.
    """
    own = [_own(layer.get("method", {}), where) for layer in layers]
    names = [numbers["name"] for numbers in own if "name" in numbers]
    if not names:
        raise RecipeError(f"{where}: method not given. Add it to the recipe or the setting.")
    found: dict[str, Any] = {}
    current = None
    for layer, numbers in zip(layers, own, strict=True):
        current = numbers.get("name", current)
        if current == names[-1]:
            found = deep_merge(found, numbers)
        found = deep_merge(found, _of_name(layer.get("methods", {}), names[-1], where))
    return found | {"name": names[-1]}


def choice_of(tree: Any, where: str) -> MethodChoice:
    """Make the method and its Config from a name, or from a mapping with `name` and numbers."""
    numbers = dict(_own(tree, where))
    name = numbers.pop("name", None)
    if not isinstance(name, str) or not name:
        raise RecipeError(f"{where}: method.name: {shown(name)} is not a name. Write `method: clincot`.")
    try:
        config = getattr(choose(METHODS, name, "method"), "Config", None)
    except ClincotError as error:
        raise RecipeError(f"{where}: {error}") from error
    if not isinstance(config, type) or not dataclasses.is_dataclass(config):
        raise RecipeError(f"{where}: method {name!r}: has no dataclass `Config`. Add one, with a field per number.")
    if not config.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise RecipeError(f"{where}: method {name!r}: Config can be changed. Write @dataclass(frozen=True) above it.")
    return MethodChoice(name, build(config, numbers, f"{where}: method", "."))


def _own(value: Any, where: str) -> Mapping[str, Any]:
    if isinstance(value, str):
        return {"name": value}
    if not isinstance(value, Mapping):
        raise RecipeError(f"{where}: method: {shown(value)} is not a method. Write a name, or `name:` and its numbers.")
    return value


def _of_name(value: Any, name: str, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RecipeError(f"{where}: methods: expected a mapping, found {shown(value)}. Write `NAME: {{key: value}}`.")
    for other, numbers in value.items():
        if other != name:
            try:
                check(METHODS, str(other), "methods")
            except ClincotError as error:
                raise RecipeError(f"{where}: {error}") from error
        if not isinstance(numbers, Mapping) or "name" in numbers:
            raise RecipeError(f"{where}: methods.{other}: holds the numbers of one method. Write `key: value` lines.")
    return dict(value.get(name, {}))
