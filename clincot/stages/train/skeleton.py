"""A base's config and a recipe -> the adapter's config for this base, checked before any weights load."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import LoraConfig
from transformers import AutoConfig

from clincot.lm.footprint import empty_model
from clincot.lm.weights import refuse_half, refuse_other_base
from clincot.progress import notice
from clincot.recipe import Recipe
from clincot.records.lineage import shown
from clincot.stages.train.arguments import dtype_of, lora_config
from clincot.stages.train.policy import check_parent, stored_dtype
from clincot.stages.train.projector import with_projector


def fitted_lora(recipe: Recipe, base: Path, parent: Path | None) -> LoraConfig:
    """Return the adapter's config with the projector that `train.projector_lr` trains.

    Raises ModelError for a base whose weights are cut or missing and for a parent of another shape or base, RecipeError
    where the base has no separate projector.
    """
    refuse_half(base, "policy")
    lora = lora_config(recipe)
    model = empty_model(AutoConfig.from_pretrained(base))
    if recipe.train.projector_lr:
        lora = with_projector(model, lora)
    if parent is not None:
        check_parent(parent, lora)
        refuse_half(parent, "adapter")
        refuse_other_base(model, parent, base)
    return lora


def rounding_facts(recipe: Recipe, base: Path) -> dict[str, str]:
    """Return what the lineage says of float16 weights that are trained in bfloat16; nothing of others."""
    rounded = (stored_dtype(base), dtype_of(recipe)) == (torch.float16, torch.bfloat16)
    return {"weights_dtype": "float16"} if rounded else {}


def say_rounded(recipe: Recipe, base: Path) -> None:
    """Say that float16 weights lose digits in bfloat16, the dtype of training on a GPU.

    It is allowed, for many published models are float16.
    The reference of Eq. 7 is computed with the same rounded weights, so that training measures against its own start.
    """
    if not rounding_facts(recipe, base):
        return
    notice(
        f"policy {shown(base)}: its float16 weights are trained in bfloat16, which keeps 8 of their 11 binary digits;"
        " build and evaluation read all. models.policy.load.dtype=bfloat16 rounds them everywhere, train.dtype=float32"
        " nowhere"
    )
