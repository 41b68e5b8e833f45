"""A model's sizes and the tokens of a batch -> the memory of a training step, and whether to recompute activations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from clincot.lm.footprint import Footprint, footprint, linear_layers
from clincot.recipe.load import DEFAULT, Load

SPARE = 0.85  # of the free memory: fragmentation and the libraries' own buffers
# Bytes of a weight of the adapter: itself, its gradient and Adam's two moments in float32; a frozen copy of it.
TRAINED, FROZEN = 16, 4
RANK = 8  # PEFT's, where a recipe names none
LONGEST = 4096  # tokens of a row, where only the tokens of a batch are known
HEAD = (4096, 32768)  # tokens and vocabulary of a tile of TRL's fused head


@dataclass(frozen=True)
class Batch:
    """A batch of a training step: `tokens` in all, padding included, in `rows`; `scored` of them are texts' own.

    `images` are those that the tower encodes.
    """

    tokens: int
    rows: int
    scored: int
    images: int = 0


@dataclass(frozen=True)
class Step:
    """How a step runs: the adapter's weights and rank, autocast to bfloat16 on a GPU, recomputed activations.

    `reference`: a frozen copy of the adapter is the reference (rounds that continue an adapter).
    """

    adapter: int
    rank: int
    autocast: bool
    recomputed: bool = False
    reference: bool = False


def kept_per_token(model: Footprint, rank: int, autocast: bool) -> int:
    """Return the bytes of activations a token leaves for the backward pass, LoRA on all linear layers.

    What a layer keeps, counted on a real one (tests/objectives/test_memory.py): the hidden states before and after two
    norms, queries, and keys and values repeated for every query head (a mask of blocks is given), the attention's
    output; gate, its activation, up and their product; and seven times what A makes of an input. In 16 bits, norms work
    in float32, and inputs of A and B are copies in its dtype, or in float32 without autocast. At 7B and rank 128: 7.4
    MB.
    """
    hidden, heads, inner = model.width, model.queries, model.inner
    if model.size == 4:
        layer = 4 * (4 * hidden + 4 * heads + 4 * inner + 7 * rank)
    elif model.quantization != "none":  # PEFT's quantised layers copy no inputs for A under autocast
        layer = 2 * (6 * hidden + 4 * heads + 4 * inner + 7 * rank)
    elif autocast:
        layer = 2 * (9 * hidden + 5 * heads + 4 * inner + 7 * rank)
    else:
        layer = 4 * (7 * hidden + heads + inner + 7 * rank) + 2 * (4 * heads + 3 * inner)
    return model.layers * layer


def activations(model: Footprint, batch: Batch, step: Step) -> int:
    """Return the bytes that a step holds at its peak beyond weights and adapter.

    Activations, or the inputs of layers where they are recomputed; the gradients of one layer, or the head's logits
    where they are more; masks and images.
    """
    whole = kept_per_token(model, step.rank, step.autocast) * batch.tokens
    layer = whole // model.layers
    kept = whole
    if step.recomputed:
        kept = model.layers * model.width * model.size * batch.tokens + layer
    length = batch.tokens // batch.rows
    mask = batch.rows * length * length * (1 + model.size)
    seen = batch.images * model.image_tokens
    return kept + max(layer, _head(model, batch, step)) + mask + seen * max(model.width * model.size, model.tower)


def step_bytes(model: Footprint, batch: Batch, step: Step) -> int:
    """Return the bytes of weights, adapter and a step together."""
    return model.weights + adapter_bytes(step) + activations(model, batch, step)


def adapter_bytes(step: Step) -> int:
    """Return the bytes of the adapter, its gradients, its optimizer and its frozen copy."""
    cast = 2 if step.autocast else 0  # autocast keeps a copy of each weight until the forward pass ends
    return step.adapter * (TRAINED + cast + (FROZEN if step.reference else 0))


def adapter_size(model: Any, lora: Mapping[str, Any]) -> int:
    """Return the weights that training changes in `model`, loaded or empty, by a recipe's `train.lora`.

    Its `target_modules` (all linear layers of the language model without them) and `modules_to_save` count.
    """
    asked, rank = lora.get("target_modules", "all-linear"), int(lora.get("r", RANK))
    chosen = [layer for name, layer in linear_layers(model).items() if _asked(name, asked)]
    own = lora.get("modules_to_save") or ()
    names = {own} if isinstance(own, str) else set(own)
    saved = [m for name, m in model.named_modules() if any(f".{name}".endswith(f".{one}") for one in names)]
    copies = sum(p.numel() for module in saved for p in module.parameters())
    return copies + rank * sum(layer.in_features + layer.out_features for layer in chosen)


def needs_checkpointing(
    base: Path, tokens: int, dtype: torch.dtype, free: int, rank: int = RANK, load: Load = DEFAULT
) -> bool:
    """Return whether the weights, an adapter and a step over a batch of `tokens` exceed the `free` bytes of a GPU."""
    model = footprint(base, replace(load, dtype=str(dtype).removeprefix("torch.")))  # type: ignore[arg-type]
    step = Step(rank * model.sides, rank, autocast=dtype != torch.float32, reference=True)
    return step_bytes(model, Batch(tokens, rows=max(1, tokens // LONGEST), scored=tokens), step) > SPARE * free


def _asked(name: str, asked: Any) -> bool:
    if asked in (None, "all-linear"):
        return True
    if isinstance(asked, str):
        return re.fullmatch(asked, name) is not None
    return any(f".{name}".endswith(f".{own}") for own in asked)


def _head(model: Footprint, batch: Batch, step: Step) -> int:
    """Return the bytes of the head's logits: of scored tokens where TRL's kernel runs (GPU), else of all, in steps."""
    tokens = min(HEAD[0], batch.scored if step.autocast else batch.tokens)
    logits = tokens * min(HEAD[1], model.vocabulary)
    return logits * model.size if step.autocast else 4 * 4 * logits
