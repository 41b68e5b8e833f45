"""The policy on vLLM against the policy in process: texts, log-probabilities, and what the prefix cache served."""

from __future__ import annotations

import pytest
from asked import to_write
from vllm_servers import MODELS, NAMES, Vllm

from clincot import engines

PER_TOKEN = 1e-5  # float32 on both sides; with torchvision's resize 4e-4


def test_greedy_texts_are_those_in_process_and_repeated_prompts_are_cached(
    servers: dict[str, Vllm], capsys: pytest.CaptureFixture[str]
) -> None:
    there = engines.load("openai", NAMES["policy"], endpoint=servers["policy"].endpoint, batch_size=8)
    here = engines.load("transformers", MODELS / "policy", batch_size=16)
    requests = to_write()
    away, own = there.generate(requests), here.generate(requests)
    equal = sum(a.text == b.text and a.tokens == b.tokens for a, b in zip(away, own, strict=True))
    apart = max(abs(a.logp - b.logp) / b.tokens for a, b in zip(away, own, strict=True))
    cached = there.counters.saved_prefill_tokens
    with capsys.disabled():
        print(f"\npolicy: {equal} of {len(requests)} greedy texts equal; log-probabilities {apart:.1e} a token apart")
        print(f"policy: {cached} of {there.counters.unshared_prefill_tokens} prompt tokens cached")
    assert len(requests) == 80 and equal == len(requests)
    assert apart < PER_TOKEN
    assert cached > 0
