"""A loaded model -> a trainer's fused head that does to logits what the model itself does, and no more; checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from clincot.errors import ModelError

# What TRL's fused head applies to logits when the text config has it. A LLaVA or Aya Vision around Gemma 2 or Cohere
# has the config of its text model and does not do what that model does (transformers 5.23). Each with no effect.
SHAPES = {"final_logit_softcapping": None, "logit_scale": 1.0, "output_multiplier": 1.0, "lm_head_multiplier": 1.0}
SHAPES |= {"logits_scaling": 1.0}
ALLOWED = {torch.float32: 1e-3, torch.bfloat16: 0.1}  # nats of one token; bfloat16 rounds logits to 3 digits


@contextmanager
def own_logits(model: Any) -> Iterator[None]:
    """Hide settings of logits that `model` itself does not apply while a trainer is made, which copies them.

    Raises ModelError at the end where the fused head still gives other log-probabilities than the model's logits: the
    trained policy would be another one than the one that writes.
    """
    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    with _hidden(model):
        yield
    _check(model)


@contextmanager
def _hidden(model: Any) -> Iterator[None]:
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
        logits = model.eval()(**_probe(model)).logits
    finally:
        hook.remove()
        model.train(training)
    return bool(torch.equal(logits, seen[-1].to(logits.dtype)))


@torch.no_grad()
def _check(model: Any) -> None:
    training, probe = model.training, _probe(model)
    ids = probe["input_ids"]
    try:
        model.eval()
        own = torch.log_softmax(model(**probe).logits[0, 0].float(), -1)[ids[0, 1]]
        fused = model(**probe, labels=ids, fused_lm_head=True).log_probs[0, 0]
    finally:
        model.train(training)
    gap, allowed = float((own - fused).abs()), ALLOWED.get(model.dtype, ALLOWED[torch.bfloat16])
    if not gap <= allowed:
        raise ModelError(
            f"policy: training reads log-probabilities of a {model.config.model_type} that are {gap:.3g} nats from"
            " its own. Likely: TRL does not know what this model does to its logits. Name another model."
        )


def _probe(model: Any) -> dict[str, Any]:
    """Return two text tokens: what is done to logits does not depend on which."""
    ids = torch.ones((1, 2), dtype=torch.long, device=model.device)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "use_cache": False}
