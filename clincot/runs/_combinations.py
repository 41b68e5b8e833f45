"""A recipe whose values are each in range -> RecipeError for values that cannot work together, naming both."""

from __future__ import annotations

from collections.abc import Callable

from clincot.errors import RecipeError
from clincot.judges.consensus import DEBATE
from clincot.recipe import Build, Recipe


def check_combinations(recipe: Recipe) -> None:
    """Raise RecipeError for the first combination that no build, training or evaluation could use."""
    for check in CHECKS:
        check(recipe)


def _regions(recipe: Recipe) -> None:
    blur = recipe.build.regions.blur
    if blur > 1 and blur % 2 == 0:
        raise RecipeError(
            f"build.regions.blur: {blur} is even, a kernel has a middle pixel. Use {blur + 1}, or 0 for none."
        )


def _pairs(recipe: Recipe) -> None:
    """A pair needs two candidates of one step: in all, of one region, or of two regions."""
    build = recipe.build
    if recipe.method != "clincot":
        return
    if build.candidates * build.samples_per_region < 2:
        raise _no_pair(build, "1 candidate a step has none to be compared with. Set build.candidates to 2 or more.")
    if build.pair_scope == "across_regions" and build.candidates < 2:
        raise _no_pair(build, "1 region has no other to be compared with. Set build.candidates to 2 or more.")
    if build.pair_scope == "within_region" and build.samples_per_region < 2:
        raise _no_pair(
            build, "1 text a region has none to be compared with. Set build.samples_per_region to 2 or more."
        )
    if build.temperature == 0 and (build.pair_scope == "within_region" or build.candidates < 2):
        raise _no_pair(
            build,
            "at temperature 0 all texts of a region are the same. Set build.temperature above 0, for example 0.7.",
        )


def _no_pair(build: Build, why: str) -> RecipeError:
    values = ("candidates", "samples_per_region", "temperature")
    given = ", ".join(f"build.{name} = {getattr(build, name)}" for name in values)
    return RecipeError(f"build.pair_scope: {build.pair_scope!r} with {given} cannot yield a pair: {why}")


def _look_ahead(recipe: Recipe) -> None:
    ahead = recipe.build.lookahead
    if ahead.gamma > 0 and ahead.samples == 0:
        raise RecipeError(
            f"build.lookahead.samples: 0 next responses have no mean for gamma = {ahead.gamma:g} to weigh."
            " Set it to 1 or more, or build.lookahead.gamma to 0 for no look-ahead."
        )


def _judging(recipe: Recipe) -> None:
    judging = recipe.build.judging
    if judging.consensus == DEBATE and judging.readout == "yesno":
        raise RecipeError(
            "build.judging.consensus: a debate is about digits, which readout 'yesno' has none of."
            " Set build.judging.readout to expected or generated."
        )


def _margin(recipe: Recipe) -> None:
    if recipe.train.margin.kind == "log" and recipe.build.min_gap == 0:
        raise RecipeError(
            "train.margin.kind: 'log' is the logarithm of the gap of two scores, and build.min_gap = 0 lets pairs"
            " without a gap in. Set build.min_gap above 0, or train.margin.kind to linear."
        )


def _evaluation(recipe: Recipe) -> None:
    if not recipe.evaluate.inference:
        raise RecipeError("evaluate.inference: names no way to answer. Give region, direct or both: [region, direct].")


CHECKS: tuple[Callable[[Recipe], None], ...] = (_regions, _pairs, _look_ahead, _judging, _margin, _evaluation)
