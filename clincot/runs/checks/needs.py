"""A recipe whose method has needs -> RecipeError for a role that the setting does not fill, naming kinds that fit."""

from __future__ import annotations

from collections.abc import Iterable

from clincot import editors, judges, methods, regions
from clincot.engines import ENGINES, SERVED
from clincot.errors import RecipeError
from clincot.methods.base import NEEDS
from clincot.recipe import Recipe
from clincot.runs.roles import OF_POLICY, OF_PROPOSER

UNFILLED = ("base", "tower")  # needs that no separate model fills
ROLES = {"regions": "proposer"}  # where a role has another name than the need
KINDS: dict[str, Iterable[str]] = {
    "regions": regions.PROPOSERS,
    "judges": judges.JUDGES,
    "critic": (OF_POLICY, *ENGINES),
    "editor": editors.EDITORS,
    "similarity": (OF_PROPOSER, *regions.MATCHING),
}


def check_needs(recipe: Recipe) -> None:
    """Raise RecipeError for the first need of the method that the setting does not meet; nothing is loaded."""
    method = methods.load(recipe.method.name)
    for need in sorted(method.needs):
        if need not in NEEDS:
            raise RecipeError(f"method {recipe.method.name}: needs {need!r}, which is no role. Use {', '.join(NEEDS)}.")
        if need not in UNFILLED and not _filled(recipe, need):
            role = ROLES.get(need, need)
            raise RecipeError(
                f"models.{role}: none is named, and method {recipe.method.name} needs {need}."
                f" Add models.{role} with a kind: {', '.join(KINDS[need])}."
            )
    if "tower" in method.needs and recipe.models.policy.kind in SERVED:
        raise RecipeError(
            f"models.policy.kind: method {recipe.method.name} compares the policy's image tower with the similarity's,"
            f" and reads its tokens; {recipe.models.policy.kind!r} gives neither. Set models.policy.kind to"
            " transformers."
        )
    if "similarity" in method.needs and recipe.models.similarity.kind == OF_PROPOSER:
        _check_matching(recipe)


def check_conditioning(recipe: Recipe) -> None:
    """Raise RecipeError where training will refuse the pairs of a method without regions: their sides have no crops."""
    conditioning = recipe.train.conditioning
    if recipe.rounds and conditioning != "per_side" and "regions" not in methods.load(recipe.method.name).needs:
        raise RecipeError(
            f"train.conditioning: {conditioning!r} is for pairs whose sides have one crop each, and method"
            f" {recipe.method.name} has no regions. Set train.conditioning=per_side."
        )


def _filled(recipe: Recipe, need: str) -> bool:
    if need == "judges":
        return bool(recipe.models.judges)
    source = getattr(recipe.models, ROLES.get(need, need))
    return bool(source.kind or source.repo)


def _check_matching(recipe: Recipe) -> None:
    """The setting's proposer has to have a score of image and text."""
    kind = recipe.models.proposer.kind
    if not regions.can_match(kind):
        raise RecipeError(
            f"models.similarity: the proposer is of kind {kind!r}, which has no score of image and text. Set"
            f" models.proposer.kind, or models.similarity.kind and its repo, to {' or '.join(regions.MATCHING)}."
        )
