"""A launch that cuts a model over its processes (accelerate's FSDP) -> where it is cut, its trained weights whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from clincot.errors import RecipeError
from clincot.progress import notice

FOLDER = "recipes/accelerate"


def check_launch(environment: Mapping[str, str], feature_cache_gb: float = 0.0) -> None:
    """Raise RecipeError where what `accelerate launch` puts into `environment` cannot be trained; loads nothing."""
    if _asks(environment, "ACCELERATE_USE_DEEPSPEED") and environment.get("ACCELERATE_DEEPSPEED_ZERO_STAGE") == "3":
        raise RecipeError(
            "accelerate: DeepSpeed's zero_stage 3 cuts the policy before its first step can be checked. Use"
            f" {FOLDER}/fsdp.yaml to cut the model, or zero_stage 2 as in {FOLDER}/deepspeed.yaml."
        )
    if not _asks(environment, "ACCELERATE_USE_FSDP"):
        return
    if (version := environment.get("FSDP_VERSION", "1")) != "2":
        raise RecipeError(
            f"accelerate: fsdp_version {version} is not supported. Set it to 2, as in {FOLDER}/fsdp.yaml."
        )
    if _asks(environment, "FSDP_CPU_RAM_EFFICIENT_LOADING"):
        raise RecipeError(
            "accelerate: fsdp_cpu_ram_efficient_loading leaves every process but the first without weights, and each of"
            f" them checks the policy before the first step. Set it to false, as in {FOLDER}/fsdp.yaml."
        )
    if feature_cache_gb:
        raise RecipeError(
            "train.feature_cache_gb: the tower's weights are cut over the processes (FSDP), so no features can be kept."
            " Set it to 0."
        )


def launch_kind(environment: Mapping[str, str]) -> str:
    """Return how a launch cuts what it trains, "" where it does not: saves of one kind cannot be read by another."""
    kinds = {"fsdp": "ACCELERATE_USE_FSDP", "deepspeed": "ACCELERATE_USE_DEEPSPEED"}
    return "".join(f" {kind}" for kind, name in kinds.items() if _asks(environment, name))


def _asks(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "false").lower() in ("true", "1")


def cut_at_layers(trainer: Any) -> None:
    """Let FSDP cut at those layers that the model has; without FSDP, do nothing.

    transformers lists the layers of each family, the text part of a CLIP among them, and accelerate refuses a name that
    is not in the model, as that part is not in a LLaVA's.
    """
    if not trainer.is_fsdp_enabled:
        if _asks(os.environ, "ACCELERATE_USE_FSDP") and trainer.is_world_process_zero():
            notice("accelerate cuts a model over GPUs alone: here each process trains a whole copy (DDP).")
        return
    trainer.features = None  # they are encoded outside the model's forward pass, where the weights stay cut
    plugin = trainer.accelerator.state.fsdp_plugin
    if plugin.transformer_cls_names_to_wrap is None:
        present = {type(module).__name__ for module in trainer.model.modules()}
        plugin.transformer_cls_names_to_wrap = sorted(present & set(trainer.model._no_split_modules or ()))


def whole_weights(trainer: Any) -> dict[str, Tensor] | None:
    """Return the trained weights of a cut model, whole and in CPU memory, in rank 0; None without FSDP.

    Every process must call it. Frozen weights stay where they are.
    """
    if not trainer.is_fsdp_enabled:
        return None
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)
    return dict(get_model_state_dict(trainer.model, options=options))  # type: ignore[arg-type]
