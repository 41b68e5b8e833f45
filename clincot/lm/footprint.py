"""A model's config and how it is loaded -> the sizes that decide its memory; no weights are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from clincot.errors import ClincotError, ModelError
from clincot.lm.language_model import language_model
from clincot.recipe.load import Load
from clincot.records.lineage import shown

# Bytes of a weight that bitsandbytes quantises: NF4 has half a byte and, quantised in turn, a byte of scale for each 64
# weights; 8 bits have a scale in float32 for each row, which is left out.
QUANTIZED = {"int8": 1.0, "nf4": 0.5 + 1 / 64 + 4 / (64 * 256)}


@dataclass(frozen=True)
class Footprint:
    """What of a model decides its memory; `size` is the bytes of a number in the dtype that it is loaded in.

    `parameters` counts all weights, `linear` those of the language model's linear layers, which alone are quantised;
    `sides` adds up the inputs and outputs of these layers: LoRA of rank r has r weights for each.
    `width`, `inner`, `queries` and `keys` are a layer's numbers per token: hidden state, feed-forward, heads' queries
    and keys. `image_tokens` is 0 where the config does not say it; `tower` is what a layer of the vision tower takes
    for each of them, in bytes.
    """

    kind: str
    parameters: int
    linear: int
    sides: int
    layers: int
    width: int
    inner: int
    queries: int
    keys: int
    vocabulary: int
    size: int
    image_tokens: int = 0
    tower: int = 0
    quantization: str = "none"

    @property
    def weights(self) -> int:
        """Return the bytes of the weights as they are loaded."""
        if self.quantization == "none":
            return self.parameters * self.size
        plain = self.parameters - self.linear
        return plain * self.size + int(self.linear * QUANTIZED[self.quantization])

    @property
    def cached(self) -> int:
        """Return the bytes of the keys and values of a token, all layers together."""
        return 2 * self.layers * self.keys * self.size

    @property
    def read(self) -> int:
        """Return the bytes at the peak of a layer's forward pass without gradients, per token.

        Feed-forward: hidden state before and after its norm, gate, its activation and up. Attention holds less than
        that unless heads outweigh it.
        """
        attention = 2 * self.width + 4 * self.queries + 2 * self.keys
        return self.size * max(2 * self.width + 3 * self.inner, attention)


def footprint(folder: Path, load: Load) -> Footprint:
    """Return the sizes of the model in `folder`, of which config.json is read.

    Raises ModelError for a config that transformers does not make a language model of.
    """
    try:
        config: Any = AutoConfig.from_pretrained(folder)
        return of_model(empty_model(config), load)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        if isinstance(error, ClincotError):
            raise
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelError(f"{shown(folder)}: its sizes cannot be read from config.json ({said}).") from error


def empty_model(config: Any) -> Any:
    """Return the model of a config with shapes and no weights (torch's meta device)."""
    seeing = config.model_type in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    with torch.device("meta"):
        return (AutoModelForImageTextToText if seeing else AutoModelForCausalLM).from_config(config)


def of_model(model: Any, load: Load) -> Footprint:
    """Return the sizes of a model, loaded or empty, as `load` loads it."""
    config, text = model.config, model.config.get_text_config()
    heads = text.num_attention_heads
    head, layers = getattr(text, "head_dim", None) or text.hidden_size // heads, linear_layers(model)
    return Footprint(
        kind=config.model_type,
        parameters=sum(p.numel() for p in model.parameters()),
        linear=sum(layer.weight.numel() for layer in layers.values()),
        sides=sum(layer.in_features + layer.out_features for layer in layers.values()),
        layers=text.num_hidden_layers,
        width=text.hidden_size,
        inner=text.intermediate_size,
        queries=heads * head,
        keys=(getattr(text, "num_key_value_heads", None) or heads) * head,
        vocabulary=text.vocab_size,
        size=dtype_of(config, load).itemsize,
        image_tokens=_image_tokens(config),
        tower=_tower(config) * dtype_of(config, load).itemsize,
        quantization=load.quantization,
    )


def dtype_of(config: Any, load: Load) -> torch.dtype:
    """Return the dtype that a model is loaded in; without one in the config, weights are float32."""
    return (config.dtype or torch.float32) if load.dtype == "auto" else getattr(torch, load.dtype)


def linear_layers(model: Any) -> dict[str, nn.Linear]:
    """Return the linear layers of the language model by their full names, without the output embedding."""
    head = model.get_output_embeddings()
    try:
        path = language_model(model)[0] + "."
    except ModelError:  # a text model is one
        path = ""
    named = {name: module for name, module in model.named_modules() if name.startswith(path)}
    return {name: module for name, module in named.items() if isinstance(module, nn.Linear) and module is not head}


def _tower(config: Any) -> int:
    """Return a vision tower's numbers per token at the peak of a layer; 0 where its config is written otherwise."""
    vision = getattr(config, "vision_config", None)
    width, inner = getattr(vision, "hidden_size", 0), getattr(vision, "intermediate_size", 0)
    return 2 * width + 2 * inner if isinstance(width, int) and isinstance(inner, int) else 0


def _image_tokens(config: Any) -> int:
    """Return the tokens of an image of the tower's own size; 0 where nothing in the config says it."""
    vision = getattr(config, "vision_config", None)
    named = getattr(config, "image_seq_length", None) or getattr(config, "mm_tokens_per_image", None)
    side, patch = getattr(vision, "image_size", None), getattr(vision, "patch_size", None)
    if named or not (isinstance(side, int) and isinstance(patch, int)):
        return int(named or 0)
    return (side // patch) ** 2
