"""Log-probabilities of predicted tokens of a batch, in any layout -> those of its texts, for each pair."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from clincot.objectives.collator import TOKEN_WEIGHTS


def _by_text(per_token: Tensor, inputs: dict[str, Any]) -> Tensor:
    """Sum the values of predicted tokens, (rows, tokens - 1), for each text: (texts,)."""
    owner = inputs["owner"][:, 1:]
    texts = int(torch.maximum(inputs["chosen_text"], inputs["rejected_text"]).max()) + 1
    # The last place takes what no text owns; those log-probabilities are 0.
    sums = per_token.new_zeros(texts + 1).index_add(
        0, owner.clamp(min=-1).remainder(texts + 1).flatten(), per_token.flatten()
    )
    return sums[:-1]


def _of_sides(per_token: Tensor, inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
    sums = _by_text(per_token, inputs)
    return sums[inputs["chosen_text"]], sums[inputs["rejected_text"]]


def text_sums(per_token: Tensor, inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Return the log-probabilities of the chosen and rejected texts, (pairs,) each; tokens count by their weights."""
    if TOKEN_WEIGHTS in inputs:
        per_token = per_token * inputs[TOKEN_WEIGHTS][:, 1:]
    if "owner" in inputs:
        return _of_sides(per_token, inputs)
    chosen, rejected = per_token.sum(dim=1).chunk(2)
    return chosen, rejected


def text_nll(per_token: Tensor, inputs: dict[str, Any]) -> Tensor:
    """Return the mean negative log-likelihood of the chosen texts' tokens; weights of tokens do not count."""
    if "owner" in inputs:
        return -_of_sides(per_token, inputs)[0].sum() / text_lengths(inputs)[0].sum()
    chosen = inputs["completion_mask"][:, 1:].chunk(2)[0].bool()
    return -per_token.chunk(2)[0][chosen].mean()


def text_lengths(inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Return the tokens of the chosen and the rejected texts, (pairs,) each."""
    if "owner" in inputs:
        return _of_sides(inputs["completion_mask"][:, 1:].float(), inputs)
    chosen, rejected = inputs["completion_mask"].sum(1).float().chunk(2)
    return chosen, rejected
