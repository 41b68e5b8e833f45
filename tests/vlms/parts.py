"""Sizes and special tokens -> what tiny models of every class share."""

from __future__ import annotations

from typing import Any

import torch
import transformers as hf

from tests.tiny import TEMPLATE, tiny_tokenizer

SQUARE = {"height": 32, "width": 32}
TOWER = {
    "image_size": 32,
    "patch_size": 8,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
}
CLIP = TOWER | {"model_type": "clip_vision_model"}
SIGLIP = TOWER | {"model_type": "siglip_vision_model"}
TEXT = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
Made = tuple[Any, Any]


def tokens(*more: str, **named: str) -> Any:
    """The tiny tokenizer with `more` special tokens, `named` ones being attributes too."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens([*more, *named.values()], special_tokens=True)
    ends = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    fast = {"tokenizer_object": tokenizer.backend_tokenizer, "extra_special_tokens": named, "chat_template": TEMPLATE}
    return hf.PreTrainedTokenizerFast(**ends, **fast)


def text_of(kind: str, tokenizer: Any, **more: Any) -> dict[str, Any]:
    """The config of a language model of that type for the tokenizer."""
    return TEXT | {"model_type": kind, "vocab_size": len(tokenizer)} | more


def template(image: str) -> str:
    """The chat template that writes `image` for each image."""
    return TEMPLATE.replace("<image>", image)


def opened(model: Any) -> Any:
    """Fill what begins at 0 and would hide every image: gates (Mllama) and a projector (Gemma 3)."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("gate"):
                value.fill_(1.0)
            elif value.ndim > 1 and not value.any():
                value.normal_(0, 0.1)
    return model
