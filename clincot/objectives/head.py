"""A loaded model -> a block in which TRL reads from its config what the model does to its logits, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

# What TRL's fused head applies to logits when the text config has it. A LLaVA or Aya Vision around Gemma 2 or Cohere
# has the config of its text model and does not do what that model does (transformers 5.23). Each with no effect.
SHAPES = {"final_logit_softcapping": None, "logit_scale": 1.0, "output_multiplier": 1.0, "lm_head_multiplier": 1.0}
SHAPES |= {"logits_scaling": 1.0}


@contextmanager
def own_logits(model: Any) -> Iterator[None]:
    """Hide settings of logits that `model` itself does not apply while a trainer is made, which copies them."""
    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    text = model.config.get_text_config()
    given = {name: getattr(text, name) for name in SHAPES if getattr(text, name, None) is not None}
    if not given or not _bare(model):
        yield
        return
    for name in given:
        setattr(text, name, SHAPES[name])
    try:
        yield
    finally:
        for name, value in given.items():
            setattr(text, name, value)


@torch.no_grad()
def _bare(model: Any) -> bool:
    """Return whether the model's logits are what its output embedding makes of its last hidden state."""
    head = model.get_output_embeddings()
    seen: list[Tensor] = []
    hook = head.register_forward_hook(lambda module, inputs, output: seen.append(output))
    training = model.training
    try:
        ids = torch.ones((1, 2), dtype=torch.long, device=model.device)
        logits = model.eval()(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits
    finally:
        hook.remove()
        model.train(training)
    return bool(torch.equal(logits, seen[-1].to(logits.dtype)))
