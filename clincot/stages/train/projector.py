"""A model and `train.projector_lr` -> the projector copied into the adapter, trained in float32 at that rate."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from peft.utils import ModulesToSaveWrapper
from torch import nn
from torch.func import functional_call
from transformers import PreTrainedModel

from clincot.lm.projector import projector_modules
from clincot.stages.train.policy import restore_adapters


def with_projector(model: PreTrainedModel, lora: LoraConfig) -> LoraConfig:
    """Return `lora` with the projector of `model` in `modules_to_save`, in addition to what it names itself.

    Raises RecipeError where no projector can be told apart.
    """
    kept = copy(lora)
    own = list(lora.modules_to_save or ())
    found = [name for name in projector_modules(model) if not any(name.endswith(given) for given in own)]
    kept.modules_to_save = [*own, *found]
    return kept


def train_projector(trainer: Any, rate: float, parent: Path | None) -> None:
    """Give the projector its rate and float32 weights, in policy and reference; `parent` is the round's start.

    A step of 2e-5 on a bfloat16 weight of .02 would mostly be rounded away. The forward pass computes with the weights
    rounded to the base's dtype, as the base and an engine that loads the adapter do, so both are one policy.
    """
    if not rate:
        return
    model = trainer.accelerator.unwrap_model(trainer.model)
    base = model.get_base_model()
    trainer.own_rate, trainer.own_rate_of = rate, projector_modules(base)
    for name in trainer.own_rate_of:
        wrapper = base.get_submodule(name)
        if isinstance(wrapper, ModulesToSaveWrapper):
            for copied in wrapper.modules_to_save.values():
                _in_float32(copied)
    if parent is not None:
        restore_adapters(model, parent)


def projector_facts(trainer: Any) -> dict[str, Any]:
    """Return what the lineage says of a trained projector: its modules and their learning rate."""
    if not trainer.own_rate:
        return {}
    return {"projector": {"modules": list(trainer.own_rate_of), "learning_rate": trainer.own_rate}}


def _in_float32(module: nn.Module) -> None:
    dtype = next(module.parameters()).dtype
    if dtype == torch.float32:
        return
    module.float()
    plain = module.forward

    def forward(*args: Any, **given: Any) -> Any:
        module.forward = plain  # type: ignore[method-assign]  # functional_call calls the module again
        try:
            return functional_call(module, {name: p.to(dtype) for name, p in module.named_parameters()}, args, given)
        finally:
            module.forward = forward  # type: ignore[method-assign]

    module.forward = forward  # type: ignore[method-assign]
