"""LoRA by architecture: inside the language model that the model itself names, on every class."""

from __future__ import annotations

from typing import Any

import pytest
import transformers
from accelerate import init_empty_weights
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoConfig, AutoModelForImageTextToText, PretrainedConfig, PreTrainedModel

from clincot.errors import ModelError, RecipeError
from clincot.lm.language_model import image_modules, language_model
from clincot.objectives.features import FeatureCache, feature_cache
from clincot.phantom.policy.network import FOLDER
from clincot.recipe import load_recipe
from clincot.stages.train.arguments import lora_config
from clincot.stages.train.policy import on_language_model

AS_BEFORE = r".*(vision_tower|multi_modal_projector).*"
LLAVA = ("model.vision_tower", "model.multi_modal_projector")
SIGLIP = {"vision_config": {"model_type": "siglip_vision_model", "num_attention_heads": 16}}
# Class -> what is outside of the language model, by its dotted name.
OUTSIDE: dict[str, tuple[str, ...]] = {
    "Llava": LLAVA,
    "LlavaNext": LLAVA,
    "LlavaOnevision": LLAVA,
    "VipLlava": LLAVA,
    "Mistral3": LLAVA,
    "PaliGemma": LLAVA,
    "Gemma3": LLAVA,
    "Qwen2VL": ("model.visual",),
    "Qwen2_5_VL": ("model.visual",),
    "Qwen3VL": ("model.visual",),
    "InternVL": LLAVA,
    "Idefics2": ("model.vision_model", "model.connector"),
    "Idefics3": ("model.vision_model", "model.connector"),
    "SmolVLM": ("model.vision_model", "model.connector"),
    "Mllama": ("model.vision_model", "model.multi_modal_projector", "model.language_model.layers.3.cross_attn"),
    "Blip2": ("vision_model", "qformer", "language_projection"),
    "InstructBlip": ("vision_model", "qformer", "language_projection"),
    "AyaVision": LLAVA,
    "Llama4": ("vision_model", "multi_modal_projector"),
    "Glm4v": ("model.visual",),
    "Fuyu": ("model.vision_embed_tokens",),
}


def empty(config: PretrainedConfig) -> PreTrainedModel:
    with init_empty_weights():
        model: PreTrainedModel = AutoModelForImageTextToText.from_config(config)
    return model


def of(kind: str, **given: Any) -> PreTrainedModel:
    """A model of that class without weights, of four layers."""
    config = getattr(transformers, f"{kind}Config")(**given)
    for part in (config, config.get_text_config(), getattr(config, "vision_config", None)):
        for name in ("num_hidden_layers", "depth", "num_global_layers"):
            if isinstance(getattr(part, name, None), int):
                setattr(part, name, 4)
    return empty(config)


def lora(**changes: Any) -> LoraConfig:
    return lora_config(load_recipe(overrides=[f"train.lora.{k}={v}" for k, v in changes.items()]))


def placed(model: PreTrainedModel, config: LoraConfig) -> set[str]:
    """The modules that have LoRA."""
    with init_empty_weights():
        wrapped = get_peft_model(model, config)
    names = (name for name, _ in wrapped.named_modules())
    return {n.removeprefix("base_model.model.").removesuffix(".lora_A") for n in names if n.endswith(".lora_A")}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.long if kind == "Llama4" else ()) for kind in OUTSIDE]
)
def test_lora_is_on_the_language_model_alone(kind: str) -> None:
    model = of(kind, **(SIGLIP if kind == "AyaVision" else {}))
    assert image_modules(model) == OUTSIDE[kind]
    path, inner = language_model(model)
    head = model.get_output_embeddings()
    linear = {f"{path}.{n}" for n, m in inner.named_modules() if isinstance(m, nn.Linear) and m is not head}
    expected = {name for name in linear if not any(name.startswith(out + ".") for out in OUTSIDE[kind])}
    found = placed(model, on_language_model(model, lora()))
    assert found == expected and len(found) >= 16


def test_the_phantom_has_lora_where_it_had_it() -> None:
    config = AutoConfig.from_pretrained(FOLDER)
    now = on_language_model(empty(config), lora())
    before = LoraConfig(target_modules="all-linear", exclude_modules=AS_BEFORE)
    assert now.exclude_modules == AS_BEFORE  # adapter_config.json has the same bytes
    assert placed(empty(config), now) == placed(empty(config), before) != set()


def test_what_a_recipe_excludes_or_targets_stays_inside_too() -> None:
    for given in ("[q_proj, k_proj]", r".*\.[qk]_proj"):
        found = placed(model := of("Qwen2VL"), on_language_model(model, lora(exclude_modules=given)))
        assert found and all(
            n.startswith("model.language_model.") and n[-6:] not in ("q_proj", "k_proj") for n in found
        )
    found = placed(model := of("Idefics3"), on_language_model(model, lora(target_modules="[q_proj]")))
    assert len(found) == 4 and all(name.startswith("model.text_model.") for name in found)


def test_targets_outside_of_the_language_model_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"train.lora.target_modules: qkv is in no module .*\(model.language_model\)"):
        on_language_model(of("Qwen2VL"), lora(target_modules="[qkv]"))


def test_a_model_that_names_no_language_model_is_refused() -> None:
    config = transformers.ChameleonConfig(num_hidden_layers=1, vocabulary_map={"<image>": 4})
    with pytest.raises(ModelError, match="a chameleon names no language model apart from its vision tower"):
        on_language_model(empty(config), lora())


def test_features_are_kept_of_any_tower_that_does_not_move_whatever_its_name_is() -> None:
    model = of("Idefics3")
    with init_empty_weights():
        wrapped = get_peft_model(model, on_language_model(model, lora()))
    cache = feature_cache(wrapped, 0.5, False)
    assert isinstance(cache, FeatureCache)
    with pytest.raises(RecipeError, match="reads pixel_attention_mask of its images in addition to their pixels"):
        cache.reads({"pixel_values": 0, "pixel_attention_mask": 0})
    assert not FeatureCache(0).reads({"pixel_attention_mask": 0}) and FeatureCache(0).reads({"pixel_values": 0})
    next(model.model.connector.parameters()).requires_grad_(True)
    with pytest.raises(RecipeError, match="training changes base_model.model.model.connector"):
        feature_cache(wrapped, 0.5, False)
