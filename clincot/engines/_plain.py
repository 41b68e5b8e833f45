"""Requests -> texts and next-token logits by the model's own `generate` and `forward`, sharing nothing between prompts.

For models whose attention needs more than plain positions, and the yardstick that the shared path is tested against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from PIL.Image import Image
from torch import Tensor
from transformers import LogitsProcessor
from transformers.generation import LogitsProcessorList

from clincot.engines._policy import Policy
from clincot.engines._vision import parameters
from clincot.lm.choice_tokens import Path
from clincot.lm.requests import Counters
from clincot.lm.sampling import Sampler
from clincot.lm.spaces import After, pieces


@torch.inference_mode()
def generate(policy: Policy, inputs: Mapping[str, Tensor], sampler: Sampler, counters: Counters) -> None:
    """Write the texts of `sampler` after the prompts of `inputs`."""
    policy.model.generate(
        **inputs,
        do_sample=False,
        max_new_tokens=max(request.max_new_tokens for request in sampler.requests),
        logits_processor=LogitsProcessorList([SamplerInGenerate(sampler)]),
    )
    counters.decoded_tokens += sum(len(tokens) - 1 for tokens in sampler.tokens)


@torch.inference_mode()
def next_logits(policy: Policy, inputs: Mapping[str, Tensor]) -> Tensor:
    """Return raw logits (rows, vocabulary) of the token that follows each prompt."""
    return _last_logits(policy, inputs, 1)[:, 0]


@torch.inference_mode()
def two_logits(policy: Policy, inputs: Mapping[str, Tensor], token: int) -> Tensor:
    """Return raw logits (rows, 2, vocabulary) of what follows each prompt, and of what follows `token` after it."""
    return _last_logits(policy, _all_longer(inputs, token), 2)


def _last_logits(policy: Policy, inputs: Mapping[str, Tensor], count: int) -> Tensor:
    """Return raw logits (rows, `count`, vocabulary); those of whole prompts would take gigabytes."""
    model = policy.model
    kept = {"logits_to_keep": count} if "logits_to_keep" in parameters(model.forward) else {}
    logits: Tensor = model(**inputs, **kept).logits[:, -count:]
    return logits


@torch.inference_mode()
def after_spaces(
    policy: Policy, inputs: Mapping[str, Tensor], paths: Sequence[Sequence[Path]], counters: Counters
) -> After:
    """Return logits after the space pieces that the `paths` of each prompt begin with; all prompts are read again."""
    read: After = {}
    for piece in sorted({piece for _, piece in pieces(paths)}):
        longer = _all_longer(inputs, piece)
        counters.prefill_tokens += int(longer["attention_mask"].sum())
        counters.unshared_prefill_tokens += int(longer["attention_mask"].sum())
        read |= {(row, piece): logits for row, logits in enumerate(next_logits(policy, longer))}
    return read


def _all_longer(inputs: Mapping[str, Tensor], piece: int) -> dict[str, Tensor]:
    return {name: _longer(name, value, inputs["input_ids"], piece) for name, value in inputs.items()}


def _longer(name: str, value: Tensor, ids: Tensor, piece: int) -> Tensor:
    """Return an input with one place per token, longer by the text token `piece`; others (pixels) as they are."""
    if value.shape[:2] != ids.shape:
        return value
    if value.ndim > 2:  # which tiles a token attends to (Mllama): those of the token before
        return torch.cat([value, value[:, -1:]], dim=1)
    filled = {"input_ids": piece, "attention_mask": 1}.get(name, 0)
    return torch.cat([value, value.new_full((len(value), 1), filled)], dim=1)


def inputs(
    policy: Policy, texts: Sequence[str], images: Sequence[Sequence[Image]], counters: Counters
) -> dict[str, Tensor]:
    """Return what the model reads of the prompts `texts` with their `images` (as many in each), padded on the left."""
    options = {"padding": True, "return_tensors": "pt", "add_special_tokens": False}
    if images and images[0]:
        read = policy.processor(images=[list(own) for own in images], text=list(texts), **options)
    else:
        read = policy.tokenizer(list(texts), **options)
    tokens = int(read["attention_mask"].sum())
    counters.prefill_tokens += tokens
    counters.unshared_prefill_tokens += tokens
    counters.vision_encodes += sum(map(len, images))
    model = policy.model
    return {
        name: value.to(model.device, model.dtype) if value.is_floating_point() else value.to(model.device)
        for name, value in read.items()
        if name != "labels"  # PaliGemma's processor writes them too; a loss needs the logits of whole prompts
    }


class SamplerInGenerate(LogitsProcessor):
    """Lets `model.generate` write what a Sampler chooses: every other token becomes impossible."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        chosen = self.sampler.choose(scores, range(len(scores)))
        return torch.full_like(scores, -torch.inf).scatter(1, chosen[:, None], 0.0)  # type: ignore[return-value]
