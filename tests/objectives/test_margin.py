"""Margins and losses against values computed by hand, and Eq. 8 by simulation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clincot.errors import DataError, RecipeError
from clincot.objectives.margin import margin, pair_losses


@pytest.mark.parametrize(
    ("kind", "winner", "loser", "expected"),
    [
        ("linear", 0.9, 0.1, 0.8),
        ("linear", 0.55, 0.5, 0.05),
        ("linear", 0.99, 0.01, 0.98),
        ("logit", 0.9, 0.1, 4.394449),
        ("logit", 0.9, 0.7, 1.349927),
        ("logit", 0.55, 0.5, 0.200671),
        ("logit", 0.99, 0.01, 5.888878),  # clipped to [.05, .95]
        ("log", 0.9, 0.1, -0.223144),
        ("log", 0.9, 0.7, -1.609438),
        ("log", 0.99, 0.01, -0.020203),
        ("none", 0.9, 0.1, 0.0),
    ],
)
def test_the_margin_is_the_hand_computed_one(kind, winner, loser, expected):
    assert float(margin(kind, 1.0, winner, loser)) == pytest.approx(expected, abs=1e-6)
    assert float(margin(kind, 2.5, winner, loser)) == pytest.approx(2.5 * expected, abs=1e-5)


@pytest.mark.parametrize(
    ("required", "loss", "factor"),
    [(0.0, 0.6931, 0.5), (0.8, 1.1711, 0.69), (4.3944, 4.4067, 0.988), (-1.6094, 0.1823, 0.1667)],
)
def test_loss_and_gradient_at_the_start_are_the_table_of_the_methods(required, loss, factor):
    gain = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    value = pair_losses(gain, torch.zeros(1), torch.tensor([required]), torch.ones(1), beta=0.1)
    value.sum().backward()
    assert value.item() == pytest.approx(loss, abs=1e-4)
    assert gain.grad.item() == pytest.approx(-0.1 * factor, abs=2e-4)


def test_tensors_give_what_floats_give_and_weights_multiply():
    scores = torch.tensor([0.9, 0.55]), torch.tensor([0.1, 0.5])
    assert margin("logit", 1.0, *scores).tolist() == pytest.approx([4.394449, 0.200671], abs=1e-5)
    zero = torch.zeros(2)
    losses = pair_losses(zero, zero, zero, torch.tensor([2.0, 0.0]), 0.1)
    assert losses.tolist() == pytest.approx([2 * np.log(2), 0.0])


def test_the_log_offset_refuses_a_tie_and_unknown_kinds_are_named():
    with pytest.raises(DataError, match="does not score above"):
        margin("log", 1.0, 0.5, 0.5)
    with pytest.raises(RecipeError, match="Did you mean 'linear'"):
        margin("liner", 1.0, 0.5, 0.4)


@pytest.mark.parametrize(("r_w", "r_l", "gap"), [(0.3, -0.1, 0.6), (0.8, 0.0, 0.8), (-0.2, 0.2, 0.5)])
def test_eq_8_the_gumbel_probability_of_winning_by_the_margin_is_the_sigmoid(r_w, r_l, gap):
    random = np.random.default_rng(0)
    draws = 200_000
    won = random.gumbel(r_w, 1, draws) - random.gumbel(r_l, 1, draws) > gap
    expected = 1 / (1 + np.exp(-(r_w - r_l - gap)))
    assert won.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / draws))
    loss = pair_losses(torch.tensor([r_w]), torch.tensor([r_l]), torch.tensor([gap]), torch.ones(1), beta=1.0)
    assert float(torch.exp(-loss)) == pytest.approx(expected, abs=1e-6)
