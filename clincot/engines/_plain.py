"""Requests -> texts and next-token logits by the model's own `generate` and `forward`, sharing nothing between prompts.

For models whose attention needs more than plain positions, and the yardstick that the shared path is tested against.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor
from transformers.generation import LogitsProcessorList

from clincot.engines._counters import Counters
from clincot.engines._decoding import SamplerInGenerate
from clincot.engines._loading import Policy
from clincot.engines._reading import refuse_long
from clincot.engines._sampling import Sampler


@torch.inference_mode()
def generate(
    policy: Policy, texts: Sequence[str], images: Sequence[Sequence[Image]], sampler: Sampler, counters: Counters
) -> None:
    """Write the texts of `sampler` behind the prompts `texts` with their `images` (as many in each)."""
    longest = max(request.max_new_tokens for request in sampler.requests)
    inputs = _inputs(policy, texts, images, counters)
    refuse_long(policy, inputs["input_ids"].shape[1], longest)
    policy.model.generate(
        **inputs,
        do_sample=False,
        max_new_tokens=longest,
        logits_processor=LogitsProcessorList([SamplerInGenerate(sampler)]),
    )
    counters.decoded_tokens += sum(len(tokens) - 1 for tokens in sampler.tokens)


@torch.inference_mode()
def next_logits(policy: Policy, texts: Sequence[str], images: Sequence[Sequence[Image]], counters: Counters) -> Tensor:
    """Return raw logits (rows, vocabulary) of the token that follows each prompt."""
    inputs = _inputs(policy, texts, images, counters)
    refuse_long(policy, inputs["input_ids"].shape[1], 1)
    return policy.model(**inputs).logits[:, -1]


def _inputs(
    policy: Policy, texts: Sequence[str], images: Sequence[Sequence[Image]], counters: Counters
) -> dict[str, Any]:
    options = {"padding": True, "return_tensors": "pt", "add_special_tokens": False}
    if images and images[0]:
        inputs = policy.processor(images=[list(own) for own in images], text=list(texts), **options)
    else:
        inputs = policy.tokenizer(list(texts), **options)
    read = int(inputs["attention_mask"].sum())
    counters.prefill_tokens += read
    counters.unshared_prefill_tokens += read
    counters.vision_encodes += sum(map(len, images))
    model = policy.model
    return {
        name: value.to(model.device, model.dtype) if value.is_floating_point() else value.to(model.device)
        for name, value in inputs.items()
    }
