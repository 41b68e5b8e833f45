"""A base whose weights are quantised -> what its training has to do otherwise (QLoRA, Dettmers et al. 2023)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft.utils import ModulesToSaveWrapper
from transformers import AutoConfig

from clincot.lm.placing import stored_quantization
from clincot.recipe.load import Load
from clincot.stages.train.policy import restore_adapters


def quantization_of(base: Path, load: Load) -> str:
    """Return how the base's weights are quantised in training: `nf4`, `int8`, what the repository says, or ""."""
    return load.quantization if load.quantization != "none" else stored_quantization(AutoConfig.from_pretrained(base))


def keep_float32(model: Any, parent: Path | None) -> None:
    """Give a quantised model's adapter back the weights that TRL rounded to bfloat16 when it took the model.

    bfloat16 has 8 bits of a number: a step of 1e-6 on a weight of 1e-3 would be lost, and policy and reference would no
    longer be one at the start (Eq. 7). LoRA goes to float32, copies of modules to the dtype of the base's.
    """
    if not (getattr(model, "is_loaded_in_4bit", False) or getattr(model, "is_loaded_in_8bit", False)):
        return
    for name, weight in model.named_parameters():
        if weight.requires_grad and "lora_" in name:
            weight.data = weight.data.to(torch.float32)
    for module in model.modules():
        if isinstance(module, ModulesToSaveWrapper):
            for copied in module.modules_to_save.values():
                for own, first in zip(copied.parameters(), module.original_module.parameters(), strict=True):
                    own.data = first.data.clone()
    if parent is not None:
        restore_adapters(model, parent)


def facts_of(base: Path, load: Load) -> dict[str, str]:
    """Return what a lineage says of how the base was loaded for training, where that is not the default."""
    quantization = quantization_of(base, load)
    attention = {"attention": load.attention} if load.attention != "auto" else {}
    return ({"quantization": quantization} if quantization else {}) | attention
