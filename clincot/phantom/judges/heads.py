"""A judge with narrow attention heads -> the same judge with heads of 32, which vLLM's attention on CPUs takes."""

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM

HEAD = 32  # vLLM on a CPU refuses 18 and 20 ("Unsupported CPU attention configuration")


@torch.no_grad()
def padded_heads(model: LlamaForCausalLM) -> LlamaForCausalLM:
    """Return a judge with heads of `HEAD` numbers and the logits of `model`, but for rounding.

    Queries, keys and values get zeros, which add nothing to a sum. Rotary pairs (i, i + d/2) of a head of d come to
    (i, i + HEAD/2), and theta is raised to HEAD/d, so that each pair turns as before. Attention divides by the root of
    HEAD instead of d, so queries are scaled by the root of HEAD/d.

    Args:
        model: its projections have no biases and its heads are of `HEAD` numbers at most; `model` itself where they
            have `HEAD`.
    """
    narrow, rope = model.config.head_dim, model.config.rope_parameters
    if narrow == HEAD:
        return model
    wider = {"head_dim": HEAD, "rope_parameters": rope | {"rope_theta": rope["rope_theta"] ** (HEAD / narrow)}}
    padded = LlamaForCausalLM(LlamaConfig(**(model.config.to_dict() | wider)))
    weights = dict(model.state_dict())
    for name, weight in weights.items():
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            scale = (HEAD / narrow) ** 0.5 if "q_proj" in name else 1.0
            weights[name] = _rows(weight * scale, narrow, halves=2)
        elif name.endswith("v_proj.weight"):
            weights[name] = _rows(weight, narrow)
        elif name.endswith("o_proj.weight"):
            weights[name] = _rows(weight.T, narrow).T.contiguous()
    padded.load_state_dict(weights)
    padded.generation_config = model.generation_config
    return padded.to(model.dtype).train(model.training)


def _rows(weight: torch.Tensor, narrow: int, halves: int = 1) -> torch.Tensor:
    """Append zeros to each head's rows, to each of its `halves` separately: (heads x narrow, width) -> (x HEAD)."""
    parts = weight.unflatten(0, (-1, narrow // halves))
    wide = parts.new_zeros(len(parts), HEAD // halves, weight.shape[1])
    wide[:, : narrow // halves] = parts
    return wide.flatten(0, 1)
