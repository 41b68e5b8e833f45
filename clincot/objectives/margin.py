"""Scores of a winner and a loser -> their margin; log-probabilities and a margin -> the loss (Eq. 7)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from clincot.errors import DataError, RecipeError, did_you_mean

LOGIT_RANGE = (0.05, 0.95)  # unclipped, scores of .99 and .01 ask for 9.2 nats and the gradient factor is 1.0
KINDS = ("linear", "logit", "log", "none")


def logit(score: Tensor) -> Tensor:
    """Return log(s / (1 - s)) of scores in [0, 1], clipped to [.05, .95] first."""
    clipped = score.clamp(*LOGIT_RANGE)
    return torch.log(clipped) - torch.log1p(-clipped)


def margin(kind: str, scale: float, winner: Tensor | float, loser: Tensor | float) -> Tensor:
    """Return g(s_w) - g(s_l) in nats for scores in [0, 1] of any one shape; floats count as float64.

    `linear` is scale * s (the authors' code), `logit` is scale * log(s / (1 - s)), `none` is naive DPO (Eq. 6). `log`
    is ODPO's offset scale * log(s_w - s_l) (arXiv 2402.10571): never positive for scores in [0, 1], so it relaxes DPO.
    Raises DataError for `log` when a winner does not score above its loser, RecipeError for an unknown kind.
    """
    high, low = _tensor(winner), _tensor(loser)
    if kind == "linear":
        return scale * (high - low)
    if kind == "logit":
        return scale * (logit(high) - logit(low))
    if kind == "log":
        gap = high - low
        if bool((gap <= 0).any()):
            raise DataError(
                "margin log: a winner does not score above its loser. Build with min_gap > 0 or use kind=linear."
            )
        return scale * torch.log(gap)
    if kind == "none":
        return torch.zeros_like(high)
    raise RecipeError(f"train.margin.kind: {kind!r} is unknown.{did_you_mean(kind, KINDS)}")


def pair_losses(gain: Tensor, loss: Tensor, margin: Tensor, weight: Tensor, beta: float) -> Tensor:
    """Return weight * -log sigmoid(beta * (gain - loss) - margin), one value per pair (Eq. 7).

    `gain` and `loss` are log pi - log pi_ref of the chosen and the rejected text, sums over tokens in nats, (pairs,).
    """
    return weight * -F.logsigmoid(beta * (gain - loss) - margin)


def _tensor(value: Tensor | float) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)
