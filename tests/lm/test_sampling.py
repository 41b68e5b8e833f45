"""Drawing tokens: the right distribution, the right nucleus, from each row's own random numbers."""

from __future__ import annotations

import pytest
import torch

from clincot.lm.requests import GenerateRequest
from clincot.lm.sampling import Sampler, nucleus


def sampler(rows: int, temperature: float, top_p: float = 1.0, suppressed: tuple[int, ...] = ()) -> Sampler:
    requests = [GenerateRequest((), (), seed, temperature, top_p, 4) for seed in range(rows)]
    return Sampler(requests, frozenset({0}), suppressed, torch.device("cpu"))


def test_frequencies_over_seeds_equal_the_tempered_softmax_without_suppressed_tokens():
    logits = torch.tensor([0.3, 1.2, -0.5, 2.0, 0.9])
    drawn = sampler(20000, 0.7, suppressed=(3,)).choose(logits.expand(20000, -1), range(20000))
    allowed = logits.clone()
    allowed[3] = -torch.inf
    expected = (allowed / 0.7).softmax(-1)
    frequency = torch.bincount(drawn, minlength=5) / 20000
    assert frequency[3] == 0
    assert torch.allclose(frequency, expected, atol=0.015)  # four standard errors of a share of one half


def test_log_probabilities_are_raw_though_sampling_is_tempered_and_cut():
    logits = torch.tensor([[0.3, 1.2, -0.5, 2.0, 0.9]])
    one = sampler(1, 0.2, 0.3, suppressed=(3,))
    chosen = int(one.choose(logits, [0])[0])
    assert one.logps[0] == pytest.approx(float(logits.log_softmax(-1)[0, chosen]), abs=1e-6)


def test_the_nucleus_is_the_smallest_set_that_holds_top_p():
    probabilities = torch.tensor([[0.1, 0.5, 0.15, 0.25], [0.1, 0.5, 0.15, 0.25], [0.1, 0.5, 0.15, 0.25]])
    kept = nucleus(probabilities, torch.tensor([0.7, 0.5, 0.0])) > 0
    assert kept.tolist() == [[False, True, False, True], [False, True, False, False], [False, True, False, False]]


def test_temperature_zero_takes_the_best_token_among_sampled_rows():
    requests = [GenerateRequest((), (), 7, t, 1.0, 4) for t in (0.0, 1.0)]
    mixed = Sampler(requests, frozenset({0}), (), torch.device("cpu"))
    logits = torch.tensor([[0.0, 5.0, 1.0], [-50.0, -50.0, 0.0]])
    assert mixed.choose(logits, [0, 1]).tolist() == [1, 2]


def test_a_row_that_is_done_records_nothing_more():
    one = sampler(1, 0.0)
    one.choose(torch.tensor([[9.0, 0.0]]), [0])
    logp = one.logps[0]
    assert one.done(0)
    one.choose(torch.tensor([[0.0, 9.0]]), [0])
    assert one.tokens == [[0]]
    assert one.logps[0] == logp
