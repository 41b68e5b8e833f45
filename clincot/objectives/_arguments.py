"""A recipe's `train` part -> TRL's DPOConfig and PEFT's LoraConfig, with what clincot and the device fix."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from trl import DPOConfig

from clincot.errors import RecipeError, did_you_mean
from clincot.recipe import Recipe

# 50 lines of history and 10 saves whatever the length of a run: values below 1 are shares of all steps.
DEFAULTS = {"report_to": "none", "logging_steps": 0.02, "save_strategy": "steps", "save_steps": 0.1}
# max_length: TRL's default of 1024 cuts image tokens. The loss is clincot's, so TRL's choices of losses do not apply.
FIXED: dict[str, Any] = {
    "max_length": None,
    "remove_unused_columns": False,
    "disable_tqdm": True,
    "save_total_limit": 1,
    "push_to_hub": False,
    "precompute_ref_log_probs": False,
    "sync_ref_model": False,
    "loss_type": ["sigmoid"],
    "loss_weights": None,
    "label_smoothing": 0.0,
    "f_divergence_type": "reverse_kl",
    "use_weighting": False,
    "ld_alpha": None,
}
LORA = {
    "task_type": None,  # with CAUSAL_LM no AutoPeft class loads a LLaVA
    "target_modules": "all-linear",
    "exclude_modules": r".*(vision_tower|multi_modal_projector).*",
    "lora_dropout": 0.0,
}


def dtype_of(recipe: Recipe) -> torch.dtype:
    """Return the dtype of the frozen weights: bfloat16 on a GPU and float32 on a CPU unless the recipe names one."""
    if recipe.train.dtype == "auto":
        return torch.bfloat16 if torch.cuda.is_available() else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[recipe.train.dtype]


def dpo_config(recipe: Recipe, folder: Path) -> DPOConfig:
    """Return the trainer's arguments. Raises RecipeError for unknown keys and for keys that clincot fixes."""
    given = recipe.train.dpo
    fixed = {**FIXED, "seed": recipe.seed, "output_dir": str(folder)}
    _check_names(given, DPOConfig, "train.dpo")
    for name, value in given.items():
        if name in fixed and value != fixed[name]:
            raise RecipeError(f"train.dpo.{name}: is always {fixed[name]!r} here. Remove it.")
    gpu = torch.cuda.is_available()
    device: dict[str, Any] = {"use_cpu": not gpu, "bf16": gpu and dtype_of(recipe) == torch.bfloat16}
    defaults = {**DEFAULTS, "dataloader_pin_memory": gpu}
    if not gpu:
        device["gradient_checkpointing"] = False  # memory is not what a CPU lacks
    try:
        return DPOConfig(**{**defaults, **given, **fixed, **device})
    except (TypeError, ValueError) as error:
        raise RecipeError(f"train.dpo: {error}. Mend the value in the recipe.") from error


def lora_config(recipe: Recipe) -> LoraConfig:
    """Return the adapter's shape: the language model's linear layers unless the recipe says otherwise."""
    _check_names(recipe.train.lora, LoraConfig, "train.lora")
    try:
        return LoraConfig(**{**LORA, **recipe.train.lora})
    except (TypeError, ValueError) as error:
        raise RecipeError(f"train.lora: {error}. Mend the value in the recipe.") from error


def _check_names(given: Mapping[str, Any], cls: Any, where: str) -> None:
    known = {entry.name for entry in dataclasses.fields(cls) if entry.init}
    for name in given:
        if name not in known:
            near = did_you_mean(name, known)
            raise RecipeError(
                f"{where}.{name}: {cls.__name__} has no such setting.{near if 'mean' in near else ' Remove it.'}"
            )
