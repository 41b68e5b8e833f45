"""A loaded policy and a loaded CLIP -> nothing, or an error where their image towers differ."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor

from clincot.errors import ModelError
from clincot.lm.parking import weights_of

FIRST = "embeddings.patch_embedding.weight"  # of a CLIP or SigLIP tower in transformers


def check_tower(policy: Any, similarity: Any) -> None:
    """Raise ModelError where the policy's image tower is not that of the similarity's model, weight by weight.

    Weights are compared by their sha256, in the policy's dtype: a policy keeps its tower in half precision.
    """
    own, other = (_tower(model) for model in (policy, similarity))
    if not own or not other:
        which = "models.policy" if not own else "models.similarity"
        raise ModelError(f"{which}: has no image tower of CLIP's kind. Name a LLaVA and the CLIP that its tower is of.")
    odd = [
        name
        for name, weight in own.items()
        if name not in other or _digest(weight, other[name].dtype) != _digest(other[name], weight.dtype)
    ]
    if odd:
        raise ModelError(
            f"models.similarity: its image tower is not the policy's: {len(odd)} of {len(own)} weights differ, first"
            f" {odd[0]!r}. Name the CLIP that the policy's tower is of, such as openai/clip-vit-large-patch14-336."
        )


def _tower(model: Any) -> Mapping[str, Tensor]:
    """Return the weights of a model's image tower by the names that they have within it."""
    weights = weights_of(model)
    state = {} if weights is None else weights.state_dict()
    first = next((name for name in state if name.endswith(FIRST)), "")
    prefix = first.removesuffix(FIRST)
    return {name.removeprefix(prefix): weight for name, weight in state.items() if first and name.startswith(prefix)}


def _digest(weight: Tensor, other: torch.dtype) -> str:
    """Return the sha256 of a weight's shape and its values in the lesser of two precisions."""
    least = min((weight.dtype, other), key=lambda dtype: dtype.itemsize)
    values = weight.detach().to("cpu", least).float().contiguous().numpy()
    return sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()
