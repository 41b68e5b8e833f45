"""A recipe's `train` part -> TRL's DPOConfig and PEFT's LoraConfig, with what clincot and the device fix."""

from __future__ import annotations

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
from clincot.recipe.lora_options import LORA
from clincot.recipe.option_kinds import Fixed, Idle, Kept
from clincot.recipe.training import check_options
from clincot.recipe.training_options import DPO, SFT, Rule
from clincot.stages.train.distributed import processes
from clincot.stages.train.rehearsal import check_packages, of_each_process, rehearse

# 50 lines of history and 10 saves for any length of a run: values below 1 are shares of all steps.
DEFAULTS = {"report_to": "none", "logging_steps": 0.02, "save_strategy": "steps", "save_steps": 0.1}
DEFAULTS |= {"ddp_find_unused_parameters": False}  # every layer that LoRA trains is in every step
TRACKERS = {"tensorboard": ("tensorboard", "tensorboardX"), "trackio": ("trackio",), "wandb": ("wandb",)}
ADAPTER = {
    "task_type": None,  # with CAUSAL_LM no AutoPeft class loads a LLaVA
    "target_modules": "all-linear",
    "lora_dropout": 0.0,
}


def dtype_of(recipe: Recipe) -> torch.dtype:
    """Return the dtype of the frozen weights: bfloat16 on a GPU and float32 on a CPU unless the recipe names one.

    `train.dtype` counts before `models.policy.load.dtype`, which is taken where training can run in it.
    """
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    for named in (recipe.train.dtype, recipe.models.policy.load.dtype):
        if named in known:
            return known[named]
    return torch.bfloat16 if torch.cuda.is_available() else torch.float32


def dpo_config(recipe: Recipe, folder: Path, checkpointing: bool = True) -> DPOConfig:
    """Return the trainer's arguments. Raises RecipeError for unknown keys and for keys that clincot fixes.

    `checkpointing` recomputes activations where the recipe does not say and a GPU is used.
    """
    return _config(DPOConfig, "train.dpo", recipe.train.dpo, DPO, (recipe, folder), checkpointing)


def sft_config(recipe: Recipe, folder: Path) -> SFTConfig:
    """Return the arguments of the SFT stage; errors as for `dpo_config`."""
    return _config(SFTConfig, "train.sft", recipe.train.sft, SFT, (recipe, folder), True)


def _config(
    cls: Any, where: str, given: Mapping[str, Any], rules: Mapping[str, Rule], of: tuple[Recipe, Path], again: bool
) -> Any:
    recipe, folder = of
    check_options(given, rules, where, cls.__name__)
    gpu = torch.cuda.is_available()
    kept = {"seed": recipe.seed, "use_cpu": not gpu, "bf16": gpu and dtype_of(recipe) == torch.bfloat16}
    for name, value in kept.items():
        if given.get(name, value) != value:
            raise RecipeError(f"{where}.{name}: is always {value!r} here: {_reason(rules[name])}. Remove it.")
    _check_trackers(given.get("report_to") or "none", where)
    fixed = {name: rule.value for name, rule in rules.items() if isinstance(rule, Fixed)}
    acting = {name: value for name, value in given.items() if not isinstance(rules[name], Idle)}
    # Memory is not what a CPU lacks; a recipe that says otherwise is obeyed.
    defaults = {**DEFAULTS, "dataloader_pin_memory": gpu}
    if recipe.train.projector_lr:
        defaults["ddp_find_unused_parameters"] = True  # a batch may have no image
    if acting.get("activation_checkpointing") is None:
        defaults["gradient_checkpointing"] = again and gpu
    else:
        defaults["gradient_checkpointing"] = acting["activation_checkpointing"]
    check_packages(acting, where)
    if recipe.train.batch == "global":
        size = acting.get("per_device_train_batch_size", cls.per_device_train_batch_size)
        acting["per_device_train_batch_size"] = of_each_process(size, processes().num_processes, where)
    try:
        arguments = cls(**{**defaults, **acting, **fixed, **kept, "output_dir": str(folder)})
    except (TypeError, ValueError, OSError, ImportError, NotImplementedError) as error:
        raise RecipeError(f"{where}: {error}. Change the value in the recipe.") from error
    rehearse(arguments, where)
    return arguments


def _reason(rule: Rule) -> str:
    return rule.reason if isinstance(rule, Kept) else "it cannot be changed"


def lora_config(recipe: Recipe) -> LoraConfig:
    """Return the adapter's shape as the recipe asks for it, all linear layers unless it names some.

    `load_policy` keeps it inside the language model, which only the loaded model names.
    """
    given = {name: value for name, value in recipe.train.lora.items() if not isinstance(LORA.get(name), Idle)}
    check_options(recipe.train.lora, LORA, "train.lora", "LoraConfig")
    try:
        return LoraConfig(**{**ADAPTER, **given})
    except (TypeError, ValueError, ImportError) as error:
        raise RecipeError(f"train.lora: {error}. Change the value in the recipe.") from error


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
