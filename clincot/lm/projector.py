"""A vision-language model -> its projector: the modules between vision tower and language model, by what they are."""

from __future__ import annotations

from typing import Any

from torch import nn
from transformers import PreTrainedModel

from clincot.errors import RecipeError
from clincot.lm.language_model import image_modules, language_model

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def projector_modules(model: PreTrainedModel) -> tuple[str, ...]:
    """Return the dotted names of the modules that bring the tower's features to the width of the language model.

    They are the modules with weights next to language model and tower (LLaVA's `multi_modal_projector`, Idefics'
    `connector`), else those of the tower that come after its layers and end at that width (Qwen's `merger`).
    Raises RecipeError where none can be told apart.
    """
    inside = language_model(model)[0] + "."
    outside = [name for name in image_modules(model) if not name.startswith(inside)]
    towers = [name for name in outside if _has_tower(model, model.get_submodule(name))]
    found = [name for name in outside if name not in towers]
    if not found:
        width = model.config.get_text_config().hidden_size
        found = [name for tower in towers for name in _after_layers(model.get_submodule(tower), tower, width)]
    if not towers or not found:
        lacks = "vision tower" if not towers else "module between vision tower and language model"
        raise RecipeError(
            f"train.projector_lr: no projector can be told apart in a {model.config.model_type}, it has no separate"
            f" {lacks}. Set it to 0, or name modules in train.lora.modules_to_save."
        )
    return tuple(one for name in found for one in _singles(model.get_submodule(name), name))


def _has_tower(model: PreTrainedModel, module: nn.Module) -> bool:
    vision: Any = getattr(model.config, "vision_config", None)
    kinds = type(vision) if vision is not None else object
    text = type(model.config.get_text_config())
    return any(
        isinstance(part, PreTrainedModel) and isinstance(part.config, kinds) and not isinstance(part.config, text)
        for part in module.modules()
    )


def _after_layers(tower: nn.Module, path: str, width: int) -> list[str]:
    children = list(tower.named_children())
    # Qwen3-VL has two lists, its layers and a merger for each of some layers.
    lists = [at for at, (_, child) in enumerate(children) if isinstance(child, nn.ModuleList)]
    layers = [at for at in lists if _last_width(children[at][1]) != width] or lists
    if not layers:
        return []
    return [f"{path}.{name}" for name, child in children[layers[0] + 1 :] if _last_width(child) == width]


def _last_width(module: nn.Module) -> int | None:
    """Return the width at which the last linear layer or convolution ends."""
    last: Any = next((part for part in reversed(list(module.modules())) if isinstance(part, LAYERS)), None)
    return None if last is None else getattr(last, "out_features", None) or last.out_channels


def _singles(module: nn.Module, name: str) -> list[str]:
    """Return the members of a list of modules, which PEFT cannot copy as one."""
    if isinstance(module, nn.ModuleList):
        return [f"{name}.{number}" for number in range(len(module))]
    return [name]
