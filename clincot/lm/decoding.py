"""Prompts that were read -> texts: one token per row and forward pass, rows that are done leaving the batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from clincot.lm.prefix_cache import Started
from clincot.lm.requests import Counters
from clincot.lm.sampling import Sampler


@torch.inference_mode()
def decode(model: Any, started: Started, sampler: Sampler, counters: Counters) -> None:
    """Write the texts of `sampler` after `started`; row i of one is row i of the other."""
    logits, cache, mask, positions = started.logits, started.cache, started.mask, started.positions
    rows = list(range(len(logits)))
    while True:
        tokens = sampler.choose(logits, rows)
        alive = [place for place, row in enumerate(rows) if not sampler.done(row)]
        if not alive:
            return
        # Copying the cache costs more than a few idle rows; at half the batch it pays.
        if len(alive) <= len(rows) // 2:
            index = torch.tensor(alive, device=mask.device)
            cache.batch_select_indices(index)
            tokens, mask, positions = tokens[index], mask[index], positions[index]
            rows = [rows[place] for place in alive]
        counters.decoded_tokens += len(alive)
        logits, mask = step(model, tokens, cache, mask, positions)
        positions = positions + 1


def step(model: Any, tokens: Tensor, cache: Any, mask: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Read one token per row: `tokens` (rows,) at `positions` (rows,) -> logits (rows, vocabulary), longer mask."""
    mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
    read = model(
        input_ids=tokens[:, None],
        attention_mask=mask,
        position_ids=positions[:, None],
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return read.logits[:, -1], mask
