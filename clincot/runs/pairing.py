"""A finished round's recipe and another -> what differs that drawing pairs can change; the rest is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from clincot import methods
from clincot.errors import RecipeError
from clincot.executors.journal import changes
from clincot.methods.base import DRAWS_BY, Redraws
from clincot.recipe import Recipe

# What decides a round's dataset; settings of training and evaluation do not.
DECIDES = (
    "seed",
    "benchmark",
    "benchmark_revision",
    "build",
    "image_layout",
    "image_fit",
    "hypotheses",
    "method",
    "rounds",
    "models",
)
# Values that say how a machine goes about it, not what comes out.
OF_A_MACHINE = {f"build.{name}" for name in ("batch_size", "threads", "judging.batch_size", "judging.failure_limit")}


def drawn_otherwise(old: Recipe, new: Recipe, where: str) -> dict[str, str]:
    """Return name -> `before -> after` of the settings by which `new` would draw other pairs; empty where none differs.

    Raises RecipeError when `new` asks for other candidates, which only a build can give; `where` names the round.
    """
    between = _drawn_by(old, new)
    odd = differences(between, new)
    if odd:
        listed = "; ".join(f"{name}: {change}" for name, change in odd.items())
        raise RecipeError(
            f"{where}: pairs are drawn among the candidates that are there; that cannot change {listed}."
            " Give the settings of the round, or build it again with --new-version."
        )
    return differences(old, between)


def drawn_alone(old: Recipe, new: Recipe) -> bool:
    """Say whether other pairs, and nothing else, are what `new` asks of a round that was made by `old`."""
    between = _drawn_by(old, new)
    return not differences(between, new) and bool(differences(old, between))


def _drawn_by(old: Recipe, new: Recipe) -> Recipe:
    """Return `old` with the numbers of `new` that drawing pairs alone reads."""
    if old.method.name != new.method.name:
        return old
    method, numbers = methods.of_recipe(new), old.method
    read = getattr(method, "draws_by", DRAWS_BY)
    judging = replace(
        old.build.judging, **{name: getattr(new.build.judging, name) for name in read & {"consensus", "judges"}}
    )
    cut_texts = (new if "cut_texts" in read else old).build.cut_texts
    shared = replace(old.build, cut_texts=cut_texts, judging=judging)
    if isinstance(method, Redraws):
        numbers = replace(numbers, config=method.drawn_by(numbers.config))
    return replace(old, build=shared, method=numbers)


def differences(old: Recipe, new: Recipe) -> dict[str, str]:
    """Return name -> `before -> after` of the settings that decide a round's rows."""
    found = changes(_decided(old), _decided(new))
    return {name: change for name, change in found.items() if name not in OF_A_MACHINE}


def _decided(recipe: Recipe) -> dict[str, Any]:
    tree = recipe.decided()
    return {name: tree[name] for name in DECIDES if name in tree}
