"""LLaVA-Med's configuration and the shapes of its tensors -> the configuration of LLaVA, and the tensors it needs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import CLIPVisionConfig, LlavaConfig, LlavaForConditionalGeneration, MistralConfig

from clincot.convert.llava_med_names import TOWER, on_disk
from clincot.errors import ModelError

Shape = tuple[int, ...]
ROWS = 64  # tables get a multiple of so many rows, as transformers' own conversions do
KEPT = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "hidden_act",
    "max_position_embeddings",
    "rms_norm_eps",
    "rope_theta",
    "sliding_window",
)
OPTIONAL = ("head_dim", "initializer_range", "attention_dropout", "bos_token_id", "eos_token_id")
# What a checkpoint may say, with the values that LLaVA of transformers computes in the same way.
ALLOWED: dict[str, tuple[object, ...]] = {
    "model_type": ("llava_mistral",),
    "mm_projector_type": ("mlp2x_gelu",),
    "image_aspect_ratio": ("pad",),
    "mm_vision_select_feature": ("patch", "cls_patch"),
    "mm_use_im_start_end": (False,),
    "tie_word_embeddings": (False,),
    "rope_scaling": (None,),
    "quantization_config": (None,),
}
ABSENT: dict[str, object] = {  # what a key means that a checkpoint does not have
    "mm_vision_select_feature": "patch",
    "mm_use_im_start_end": False,
    "tie_word_embeddings": False,
}
STRATEGY = {"patch": "default", "cls_patch": "full"}


def refuse_others(config: Mapping[str, Any], where: str) -> None:
    """Raise ModelError where a configuration is not LLaVA-Med's, or says what LLaVA would compute differently."""
    for key, values in ALLOWED.items():
        value = config.get(key, ABSENT.get(key))
        if value not in values:
            known = " or ".join(repr(known) for known in values)
            raise ModelError(
                f"{where}: {key} is {value!r}; this converter takes {known}."
                " Name a checkpoint in the layout of LLaVA-Med 1.5."
            )
    if absent := [key for key in (*KEPT, "mm_vision_select_layer") if key not in config]:
        raise ModelError(f"{where}: lacks {', '.join(absent)}. Name a checkpoint in the layout of LLaVA-Med 1.5.")


def tower_config(config: Mapping[str, Any], shapes: Mapping[str, Shape], where: str) -> CLIPVisionConfig:
    """Return the configuration of the tower in a checkpoint, from the shapes of its tensors (names on a disk).

    LLaVA-Med names its tower and stores no configuration of it: heads of 64 and quick GELU are those of OpenAI's CLIP.
    """
    named = str(config.get("mm_vision_tower"))
    if not Path(named).name.startswith("clip-vit-"):
        raise ModelError(f"{where}: its tower {named!r} is not one of OpenAI's CLIP. Give a folder of it with --tower.")
    try:
        width, _, patch, _ = shapes[f"{TOWER}embeddings.patch_embedding.weight"]
        places, _ = shapes[f"{TOWER}embeddings.position_embedding.weight"]
        inner, _ = shapes[f"{TOWER}encoder.layers.0.mlp.fc1.weight"]
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"{where}: holds no whole vision tower ({error}). Give a folder of one with --tower."
        ) from error
    layers = {name.split(".")[4] for name in shapes if name.startswith(f"{TOWER}encoder.layers.")}
    return CLIPVisionConfig(
        image_size=math.isqrt(places - 1) * patch,
        patch_size=patch,
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=len(layers),
        num_attention_heads=width // 64,
    )


def llava_config(
    config: Mapping[str, Any], tower: CLIPVisionConfig, *, rows: int, image: int, pad: int, dtype: torch.dtype
) -> LlavaConfig:
    """Return the configuration of LLaVA with tables of `rows` rows and the ids of `<image>` and `<pad>`."""
    text = {key: config[key] for key in (*KEPT, *OPTIONAL) if config.get(key) is not None or key == "sliding_window"}
    strategy = STRATEGY[config.get("mm_vision_select_feature", "patch")]
    made = LlavaConfig(
        text_config=MistralConfig(vocab_size=rows, pad_token_id=pad, tie_word_embeddings=False, **text),
        vision_config=tower,
        image_token_id=image,
        image_seq_length=(tower.image_size // tower.patch_size) ** 2 + (strategy == "full"),
        vision_feature_layer=config["mm_vision_select_layer"],
        vision_feature_select_strategy=strategy,
        projector_hidden_act="gelu",
        tie_word_embeddings=False,
        dtype=dtype,
    )
    made.architectures = ["LlavaForConditionalGeneration"]
    return made


def needed(config: LlavaConfig) -> dict[str, Shape]:
    """Return name on a disk -> shape of every tensor that the model of `config` loads; makes no weights."""
    with torch.device("meta"):
        model = LlavaForConditionalGeneration(config)
    return {on_disk(name): tuple(tensor.shape) for name, tensor in model.state_dict().items()}
