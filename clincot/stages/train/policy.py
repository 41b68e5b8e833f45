"""A base model's folder and the adapter of round r-1 -> the policy to train; a trained adapter -> a folder."""

from __future__ import annotations

import json
import re
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftConfig, PeftModel, set_peft_model_state_dict
from peft.tuners.tuners_utils import check_target_module_exists
from safetensors.torch import load_file
from torch import nn
from transformers import AutoConfig, AutoModelForImageTextToText, ProcessorMixin
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from clincot.errors import ModelError, RecipeError
from clincot.lm.ends import end_texts
from clincot.lm.language_model import image_modules_pattern, language_model
from clincot.lm.placing import load_options
from clincot.lm.processors import read_processor, repairs_of
from clincot.lm.templates import refuse_residue
from clincot.recipe import ImageFit, Recipe
from clincot.recipe.load import DEFAULT, Load
from clincot.records.atomic import new_folder
from clincot.records.lineage import shown

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
# Rounds go on training one adapter, so these are the parent's; another value in the recipe would be ignored.
# `target_modules` cannot be compared: PEFT stores the modules of "all-linear", and shortens long lists.
KEPT = ("r", "lora_alpha", "lora_dropout", "modules_to_save", "use_rslora", "use_dora")


def open_processor(base: Path, image_fit: ImageFit = "as_is") -> tuple[ProcessorMixin, tuple[str, ...], int | None]:
    """Return the processor, the strings at which generation ends, and the model's limit of tokens; loads no weights.

    Raises ModelError when the folder is not a vision-language model that transformers reads, or when its chat template
    writes text between an answer and its end token.
    """
    try:
        config = AutoConfig.from_pretrained(base)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{shown(base)}: is not a model that transformers reads ({error}). Convert or name another."
        ) from error
    if config.model_type not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        raise ModelError(
            f"{shown(base)}: is a {config.model_type}, not a vision-language model. Name one that takes images."
        )
    processor = read_processor(base, image_fit)
    if not isinstance(processor, ProcessorMixin):
        raise ModelError(f"{shown(base)}: has no image processor. Save the model's processor with its weights.")
    if getattr(processor, "chat_template", None) is None:
        raise ModelError(f"{shown(base)}: has no processor with a chat template. Add the files of its processor.")
    tokenizer = processor.tokenizer
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    ends = end_texts(base, processor)
    refuse_residue(processor, ends, base)
    return processor, ends, getattr(config.get_text_config(), "max_position_embeddings", None)


def prompt_facts(recipe: Recipe, base: Path) -> dict[str, Any]:
    """Return what differs from the base's own way with prompts: how images are fitted, and the rules of repairs."""
    rules = repairs_of(base)
    return recipe.fit_facts | ({"prompt_repairs": list(rules)} if rules else {})


def stored_dtype(base: Path) -> torch.dtype:
    """Return the dtype that the base's weights have on disk."""
    return AutoConfig.from_pretrained(base).dtype or torch.float32


def built_dtype(base: Path, load: Load) -> torch.dtype:
    """Return the dtype in which the build runs the base."""
    return stored_dtype(base) if load.dtype == "auto" else getattr(torch, load.dtype)  # type: ignore[no-any-return]


def load_policy(
    base: Path, parent: Path | None, lora: LoraConfig, dtype: torch.dtype, load: Load = DEFAULT
) -> tuple[Any, LoraConfig | None]:
    """Return the model and, for round 1, the adapter to put on it.

    `load` gives attention and quantisation, the launcher the device, `dtype` that of what is not quantised.

    With `parent` the model carries that adapter, trainable, and there is nothing to put on: TRL then freezes a copy of
    it as the reference, which is the policy at the start of the round (Eq. 5). The adapter to put on stays inside the
    language model that the model itself names.
    """
    load = replace(load, dtype=str(dtype).removeprefix("torch."), device_map="")  # type: ignore[arg-type]
    options = load_options(base, load, f"policy {shown(base)}: load")
    loaded: Any = AutoModelForImageTextToText.from_pretrained(base, output_loading_info=True, **options)
    model, info = loaded
    if info["missing_keys"]:
        missing = sorted(info["missing_keys"])
        raise ModelError(
            f"{shown(base)}: lacks {len(missing)} weights, first {missing[0]}, and would make them up."
            " Convert it again."
        )
    if model.base_model is model:
        raise ModelError(
            f"{shown(base)}: a {model.config.model_type} has no part without its output embedding, which training reads"
            " (TRL's fused head). Name another model."
        )
    if parent is None:
        return model, on_language_model(model, lora)
    model = PeftModel.from_pretrained(model, parent, is_trainable=True)
    # PEFT asks the Hub about the base whenever it saves, unless the base is a folder.
    model.peft_config["default"].base_model_name_or_path = str(base)
    return model, None


def on_language_model(model: Any, lora: LoraConfig) -> LoraConfig:
    """Return `lora` with the modules that see images excluded, in addition to what it excludes itself.

    Raises ModelError where the model names no language model, RecipeError for targets that are not in it.
    """
    kept = copy(lora)
    own, images = lora.exclude_modules, image_modules_pattern(model)
    if own:
        # PEFT reads a list as the ends of names, a string as a regular expression of the whole name.
        own = own if isinstance(own, str) else rf"(.*\.)?({'|'.join(map(re.escape, sorted(own)))})"
        images = f"{own}|{images}"
    kept.exclude_modules = images
    _check_targets(model, kept)
    return kept


def _check_targets(model: Any, lora: LoraConfig) -> None:
    asked = lora.target_modules
    if asked in (None, "all-linear"):
        return
    path, inner = language_model(model)
    if not any(check_target_module_exists(lora, name) for name, _ in model.named_modules()):
        linear = {name.rpartition(".")[2] for name, module in inner.named_modules() if isinstance(module, nn.Linear)}
        names = asked if isinstance(asked, str) else ", ".join(sorted(asked or ()))
        raise RecipeError(
            f"train.lora.target_modules: {names} is in no module of the language model ({path}), the only place for"
            f" LoRA. Name some of {', '.join(sorted(linear))}, or leave it out for all of them."
        )


def restore_adapters(model: PeftModel, parent: Path) -> None:
    """Give every adapter of `model` the weights of `parent`: TRL's reference is a copy of the round's start too."""
    weights = load_file(parent / ADAPTER_FILES[1])
    for adapter in sorted(model.peft_config):
        set_peft_model_state_dict(model, weights, adapter_name=adapter)


def save_adapter(
    model: PeftModel, base_repo: str, folder: Path, weights: dict[str, torch.Tensor] | None = None
) -> Path:
    """Write the trained adapter alone (not the frozen reference), naming its base by repository; replaces `folder`.

    `weights`: the trained weights by name, where those of `model` are cut over processes.

    Raises ModelError for weights that are no numbers: no loss has shown what the last step left.
    """
    with new_folder(folder, replace=True) as partial:
        given = {} if weights is None else {"state_dict": weights}
        model.save_pretrained(str(partial), selected_adapters=["default"], safe_serialization=True, **given)
        for name, weight in load_file(partial / ADAPTER_FILES[1]).items():
            if not torch.isfinite(weight).all():
                raise ModelError(
                    f"training: the last step left {name} with values that are no numbers, so there is no adapter."
                    " Lower the learning rate."
                )
        for path in partial.iterdir():
            if path.name not in ADAPTER_FILES:  # PEFT's own card
                path.unlink()
        _finish_config(partial / ADAPTER_FILES[0], base_repo)
    return folder


def _finish_config(path: Path, base_repo: str) -> None:
    # PEFT writes its sets in hash order, so that equal adapters would be different files.
    config = json.loads(path.read_text(encoding="utf-8")) | {"base_model_name_or_path": base_repo}
    for name in ("target_modules", "exclude_modules"):
        if isinstance(config.get(name), list):
            config[name] = sorted(config[name])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def check_parent(parent: Path, lora: LoraConfig) -> None:
    """Raise ModelError where the round before left no adapter, or one of another shape than the recipe's."""
    missing = [name for name in ADAPTER_FILES if not (parent / name).is_file()]
    if missing:
        raise ModelError(
            f"{shown(parent)}: is not an adapter, {', '.join(missing)} missing. Train the round before again."
        )
    found = PeftConfig.from_pretrained(str(parent))
    for name in KEPT:
        has, wants = getattr(found, name, None), getattr(lora, name)
        if has != wants and name == "modules_to_save":
            raise ModelError(
                f"{shown(parent)}: the adapter of the round before trains {_modules(has)} in addition to LoRA, the"
                f" recipe asks for {_modules(wants)}. Set train.projector_lr (or train.lora.modules_to_save) as that"
                " round had it, or train from round 1 under another --name."
            )
        if has != wants:
            raise ModelError(
                f"{shown(parent)}: the adapter of the round before has {name} {has}, the recipe asks for {wants}."
                f" Set train.lora.{name}={has}, or train from round 1 under another --name."
            )


def _modules(names: list[str] | None) -> str:
    return ", ".join(names) if names else "no module"
