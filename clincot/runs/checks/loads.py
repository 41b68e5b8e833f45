"""A recipe's `models.ROLE.load` -> RecipeError for a value that has no meaning for its role, before anything loads."""

from __future__ import annotations

import re

from clincot import editors, judges, regions
from clincot.engines import SERVED
from clincot.errors import RecipeError
from clincot.recipe import ModelSource, Recipe
from clincot.recipe.load import DEFAULT, SPREAD, Load
from clincot.runs.roles import OF_POLICY, OF_PROPOSER, sources_of, where_of

DEVICE = re.compile(r"cpu|mps|(cuda|xpu)(:\d+)?")
SMALL = ("models.proposer", "models.similarity")  # their maps are compared with thresholds (Eq. 1)


def check_loads(recipe: Recipe) -> None:
    """Raise RecipeError for the first `load` that its role cannot follow; `lm/placing` finds what a machine lacks."""
    for where, source in _sources(recipe):
        if source.load != DEFAULT:
            _check(where, source)
    if recipe.models.resident == "one":
        for role, source in sources_of(recipe).items():
            _check_movable(where_of(role), source.load)


def _sources(recipe: Recipe) -> list[tuple[str, ModelSource]]:
    models = recipe.models
    named = [(f"models.{role}", getattr(models, role)) for role in ("policy", "proposer")]
    named += [(f"models.judges[{i}]", judge) for i, judge in enumerate(models.judges)]
    return named + [(f"models.{role}", getattr(models, role)) for role in ("critic", "editor", "similarity")]


def _check(where: str, source: ModelSource) -> None:
    reason = _meaningless(where, source)
    if reason:
        raise RecipeError(f"{where}.load: has no meaning for kind {source.kind!r}: {reason}")
    load = source.load
    if load.device_map and load.device_map not in SPREAD and not DEVICE.fullmatch(load.device_map):
        raise RecipeError(
            f"{where}.load.device_map: {load.device_map!r} is no device. Write cpu, cuda, cuda:1 or"
            f" {', '.join(SPREAD)}."
        )
    if where in SMALL:
        _check_small(where, load)
    if load.attention == "flash_attention_2" and load.dtype == "float32":
        raise RecipeError(
            f"{where}.load.attention: flash_attention_2 reads no float32. Set {where}.load.dtype=bfloat16."
        )


def _meaningless(where: str, source: ModelSource) -> str:
    """Return why a role of that kind loads nothing, with what to do; "" for one that does."""
    leave = f"Leave {where}.load out."
    if source.kind in SERVED | judges.SERVED:
        return f"its server decides how it is loaded. {leave}"
    if where == "models.critic" and source.kind == OF_POLICY:
        return "it is the policy. Set models.policy.load."
    if where == "models.similarity" and source.kind == OF_PROPOSER:
        return "it is the proposer. Set models.proposer.load."
    if where.startswith("models.judges") and judges.is_model_free(source.kind):
        return "it is the policy. Set models.policy.load."
    free = {"models.proposer": regions.MODEL_FREE, "models.editor": editors.MODEL_FREE}.get(where, set())
    return f"it loads no model. {leave}" if source.kind in free else ""


def _check_movable(where: str, load: Load) -> None:
    """Models that take turns go to CPU memory and back."""
    if load.quantization != "none":
        raise RecipeError(
            f"models.resident: one: {where}.load.quantization is {load.quantization}, and quantised weights cannot be"
            f" moved to CPU memory and back. Set models.resident: all (they are small), or"
            f" {where}.load.quantization: none."
        )
    if load.device_map in SPREAD:
        raise RecipeError(
            f"models.resident: one: {where}.load.device_map {load.device_map!r} puts the model on several devices."
            " Name one device, or set models.resident: all."
        )


def _check_small(where: str, load: Load) -> None:
    odd = next((name for name in load.given if name != "device_map"), "")
    if odd:
        raise RecipeError(
            f"{where}.load.{odd}: these models are small and run in their own dtype, so that regions stay the same."
            " Leave it out."
        )
    if load.device_map in SPREAD:
        raise RecipeError(f"{where}.load.device_map: {load.device_map!r} is for large models. Name one device.")
