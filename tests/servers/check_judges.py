"""A judge on vLLM against the judge in process: the digits by their token ids, and what its prefix cache served."""

from __future__ import annotations

import pytest
from asked import to_rate
from vllm_servers import MODELS, NAMES, Vllm

from clincot import judges

CLOSE = 1e-5


def test_ratings_are_those_in_process(servers: dict[str, Vllm], capsys: pytest.CaptureFixture[str]) -> None:
    own = {"name": NAMES["judge-a"], "key": "k", "batch_size": 8}
    there = judges.load("openai_text", None, endpoint=servers["judge-a"].endpoint, **own)
    here = judges.load("causal_lm", MODELS / "judge-a", **own)
    requests = to_rate()
    away, near = there.rate(requests), here.rate(requests)
    values = [(a.value, b.value) for a, b in zip(away, near, strict=True)]
    assert len(values) > 40 and None not in {value for pair in values for value in pair}
    apart = max(abs(a - b) for a, b in values)
    mass = max(abs(a.mass - b.mass) for a, b in zip(away, near, strict=True))
    cached = there.counters.saved_prefill_tokens
    with capsys.disabled():
        print(f"\njudge: {len(values)} ratings up to {apart:.1e} apart, their mass up to {mass:.1e}")
        print(f"judge: {cached} of {there.counters.unshared_prefill_tokens} prompt tokens cached")
    assert apart < CLOSE and mass < CLOSE
    assert cached > 0
