"""A model's sizes and the tokens of a batch -> the memory of a training step, and whether to recompute activations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig

SPARE = 0.85  # of the free memory: fragmentation and the libraries' own buffers


def kept_per_token(config: Any, size: int) -> int:
    """Return the bytes of activations a token leaves for the backward pass, LoRA on all linear layers.

    Per layer, in elements: 2 norms' inputs and outputs and 2 residuals (6 h), query, key, value and the attention's
    output (2 q + 2 kv), gate, up, their activation and product (4 f), and what the LoRA branches of r << h keep, which
    are inputs counted already. At 7B (h 4096, f 14336, kv 1024, 32 layers, bfloat16): 5.9 MB.
    """
    text = config.get_text_config()
    hidden, heads = text.hidden_size, text.num_attention_heads
    width = getattr(text, "head_dim", None) or hidden // heads
    queries, keys = heads * width, (getattr(text, "num_key_value_heads", None) or heads) * width
    return size * text.num_hidden_layers * (6 * hidden + 2 * queries + 2 * keys + 4 * text.intermediate_size)


def weight_bytes(base: Path) -> int:
    """Return the size of the weights on disk."""
    return sum(path.stat().st_size for path in base.glob("*.safetensors"))


def needs_checkpointing(base: Path, tokens: int, dtype: torch.dtype, free: int) -> bool:
    """Return whether the weights and a step over a batch of `tokens` (padding included) exceed the `free` bytes."""
    size = torch.finfo(dtype).bits // 8
    step = tokens * kept_per_token(AutoConfig.from_pretrained(base), size)
    return weight_bytes(base) + step > SPARE * free
