"""A recipe's `train` part -> TRL's DPOConfig and PEFT's LoraConfig, with what clincot and the device fix."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK
from trl import DPOConfig, SFTConfig

from clincot.errors import RecipeError, did_you_mean
from clincot.recipe import Recipe

# 50 lines of history and 10 saves whatever the length of a run: values below 1 are shares of all steps.
DEFAULTS = {"report_to": "none", "logging_steps": 0.02, "save_strategy": "steps", "save_steps": 0.1}
DEFAULTS |= {"ddp_find_unused_parameters": False}  # every layer that LoRA trains is in every step
# max_length: TRL's default of 1024 cuts image tokens. The loss is clincot's, so TRL's choices of losses do not apply.
ALWAYS: dict[str, Any] = {
    "max_length": None,
    "remove_unused_columns": False,
    "disable_tqdm": True,
    "save_total_limit": 1,
    "push_to_hub": False,
}
FIXED: dict[str, Any] = {
    **ALWAYS,
    "precompute_ref_log_probs": False,
    "sync_ref_model": False,
    "loss_type": ["sigmoid"],
    "loss_weights": None,
    "label_smoothing": 0.0,
    "f_divergence_type": "reverse_kl",
    "use_weighting": False,
    "ld_alpha": None,
}
# The collator writes the labels: the answer's tokens alone, whole.
FIXED_SFT: dict[str, Any] = {
    **ALWAYS,
    "loss_type": "nll",
    "packing": False,
    "padding_free": False,
    "assistant_only_loss": False,
    "dataset_kwargs": {"skip_prepare_dataset": True},
}
TRACKERS = {"tensorboard": ("tensorboard", "tensorboardX"), "trackio": ("trackio",), "wandb": ("wandb",)}
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


def dpo_config(recipe: Recipe, folder: Path, checkpointing: bool = True) -> DPOConfig:
    """Return the trainer's arguments. Raises RecipeError for unknown keys and for keys that clincot fixes.

    `checkpointing` recomputes activations where the recipe does not say and a GPU is used.
    """
    return _config(DPOConfig, "train.dpo", recipe.train.dpo, FIXED, (recipe, folder), checkpointing)


def sft_config(recipe: Recipe, folder: Path) -> SFTConfig:
    """Return the arguments of the SFT stage; errors as for `dpo_config`."""
    return _config(SFTConfig, "train.sft", recipe.train.sft, FIXED_SFT, (recipe, folder), True)


def _config(
    cls: Any, where: str, given: Mapping[str, Any], always: Mapping[str, Any], of: tuple[Recipe, Path], again: bool
) -> Any:
    recipe, folder = of
    fixed = {**always, "seed": recipe.seed, "output_dir": str(folder)}
    _check_names(given, cls, where)
    for name, value in given.items():
        if name in fixed and value != fixed[name]:
            raise RecipeError(f"{where}.{name}: is always {fixed[name]!r} here. Remove it.")
    _check_trackers(given.get("report_to", "none"), where)
    gpu = torch.cuda.is_available()
    device = {"use_cpu": not gpu, "bf16": gpu and dtype_of(recipe) == torch.bfloat16}
    # Memory is not what a CPU lacks; a recipe that says otherwise is obeyed.
    defaults = {**DEFAULTS, "dataloader_pin_memory": gpu, "gradient_checkpointing": again and gpu}
    try:
        return cls(**{**defaults, **given, **fixed, **device})
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{where}: {error}. Mend the value in the recipe.") from error


def lora_config(recipe: Recipe) -> LoraConfig:
    """Return the adapter's shape: the language model's linear layers unless the recipe says otherwise."""
    _check_names(recipe.train.lora, LoraConfig, "train.lora")
    try:
        return LoraConfig(**{**LORA, **recipe.train.lora})
    except (TypeError, ValueError) as error:
        raise RecipeError(f"train.lora: {error}. Mend the value in the recipe.") from error


def _check_trackers(asked: str | list[str], where: str) -> None:
    """Raise RecipeError when what should record the run is unknown or not installed, before a model is loaded."""
    for name in [asked] if isinstance(asked, str) else asked:
        if name not in {"none", "all", *INTEGRATION_TO_CALLBACK}:
            near = did_you_mean(name, ["none", *INTEGRATION_TO_CALLBACK])
            raise RecipeError(f"{where}.report_to: transformers knows no {name!r}.{near}")
        packages = TRACKERS.get(name, ())
        if packages and not any(find_spec(package) for package in packages):
            raise RecipeError(
                f"{where}.report_to: {name!r} needs the package {packages[0]}, which is not installed."
                f" Run `pip install {packages[0]}`, or leave report_to out: the curve is drawn either way."
            )


def _check_names(given: Mapping[str, Any], cls: Any, where: str) -> None:
    known = {entry.name for entry in dataclasses.fields(cls) if entry.init}
    for name in given:
        if name not in known:
            near = did_you_mean(name, known)
            raise RecipeError(
                f"{where}.{name}: {cls.__name__} has no such setting.{near if 'mean' in near else ' Remove it.'}"
            )
