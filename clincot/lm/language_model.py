"""A vision-language model -> its language model, and the modules outside of it that see images."""

from __future__ import annotations

import inspect
import re
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from clincot.errors import ModelError

NAMES = ("language_model", "text_model")  # what transformers calls it; a decoder may be a part of one (T5, OPT)


def language_model(model: PreTrainedModel) -> tuple[str, nn.Module]:
    """Return the dotted name and the module of the language model that `model` itself names (`get_decoder`).

    Raises ModelError where it names none apart from its vision tower.
    """
    decoder: Any = model.get_decoder()
    path = next((name for name, module in model.named_modules() if module is decoder), "")
    parts = path.split(".")
    ends = [end for end, part in enumerate(parts, 1) if part in NAMES]
    path = ".".join(parts[: ends[0]] if ends else parts)
    found = model.get_submodule(path)
    if not path or any(_is_tower(module, model) for module in found.modules()):
        raise ModelError(
            f"policy: a {model.config.model_type} names no language model apart from its vision tower, so LoRA might"
            " reach the tower. Name another model."
        )
    return path, found


def image_modules(model: PreTrainedModel) -> tuple[str, ...]:
    """Return the dotted names of what LoRA must not reach: towers, projectors and layers that attend to images.

    They are the modules next to the language model that have weights, in the model's own order, and the attention of
    the language model to the tower's output (Mllama). The output embedding is not one of them.
    """
    path, inner = language_model(model)
    head: Any = model.get_output_embeddings()
    found, parts = [], path.split(".")
    for depth, part in enumerate(parts):
        above = ".".join(parts[:depth])
        for name, child in model.get_submodule(above).named_children():
            if name != part and child is not head and any(True for _ in child.parameters()):
                found.append(f"{above}.{name}" if above else name)
    return (*found, *(f"{path}.{name}" for name, module in inner.named_modules() if _attends_to_images(module)))


def image_modules_pattern(model: PreTrainedModel) -> str:
    """Return a regular expression that matches the full name of every module in `image_modules`, and no other."""
    names = image_modules(model)
    kept = [
        name
        for name, module in language_model(model)[1].named_modules()
        if isinstance(module, nn.Linear) and not any(part in name for part in _inside(model, names))
    ]
    short: dict[str, None] = {}
    for name in names:
        last = name.rpartition(".")[2]
        short[re.escape(name + ".") if any(last in own for own in kept) else re.escape(last)] = None
    return rf".*({'|'.join(short)}).*"


def _inside(model: PreTrainedModel, names: tuple[str, ...]) -> list[str]:
    path = language_model(model)[0] + "."
    return [name.removeprefix(path) for name in names if name.startswith(path)]


def _is_tower(module: nn.Module, model: PreTrainedModel) -> bool:
    # A tower has its own config; what belongs to the language model has the text config.
    text = type(model.config.get_text_config())
    return isinstance(module, PreTrainedModel) and not isinstance(module.config, text)


def _attends_to_images(module: nn.Module) -> bool:
    takes = inspect.signature(module.forward).parameters
    return "cross_attention_states" in takes and any(isinstance(child, nn.Linear) for child in module.children())
