"""Next-token logits of rows -> a token per row, from the row's own random numbers, with its raw log-probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from clincot.lm.requests import Completion, GenerateRequest


class Sampler:
    """The texts being written for `requests`, one row each.

    A row draws by inverse cumulative distribution from uniforms of a seeded generator, so its text depends on no
    batch mate (Gumbel noise would do as well, at a vocabulary of random numbers per token instead of one).
    """

    def __init__(
        self,
        requests: Sequence[GenerateRequest],
        stops: frozenset[int],
        suppressed: Sequence[int],
        device: torch.device,
    ) -> None:
        self.requests = requests
        self.stops = stops
        self.suppressed = torch.tensor(sorted(suppressed), dtype=torch.long, device=device)
        self.temperature = torch.tensor([r.temperature for r in requests], dtype=torch.float64, device=device)
        self.top_p = torch.tensor([r.top_p for r in requests], dtype=torch.float64, device=device)
        self.uniforms = _uniforms(requests).to(device)
        self.tokens: list[list[int]] = [[] for _ in requests]
        self.logps = [0.0 for _ in requests]

    def done(self, row: int) -> bool:
        """Return whether `row` has ended by itself or used up its tokens."""
        written = self.tokens[row]
        return len(written) >= self.requests[row].max_new_tokens or bool(written and written[-1] in self.stops)

    def choose(self, logits: Tensor, rows: Sequence[int]) -> Tensor:
        """Return the next token ids (rows,) for raw `logits` (rows, vocabulary); rows that are done get a stop."""
        raw = logits.float()
        allowed = raw.index_fill(1, self.suppressed, -torch.inf) if len(self.suppressed) else raw
        chosen = self._draw(allowed, rows)
        logps = (raw.gather(1, chosen[:, None])[:, 0] - raw.logsumexp(-1)).tolist()
        ids = chosen.tolist()
        for place, row in enumerate(rows):
            if self.done(row):
                ids[place] = min(self.stops, default=0)
            else:
                self.tokens[row].append(ids[place])
                self.logps[row] += logps[place]
        return torch.tensor(ids, device=logits.device)

    def _draw(self, allowed: Tensor, rows: Sequence[int]) -> Tensor:
        index = torch.tensor(rows, device=allowed.device)
        temperature = self.temperature[index]
        best = allowed.argmax(-1)
        if not bool((temperature > 0).any()):
            return best
        sharpened = allowed.double() / torch.where(temperature > 0, temperature, 1.0)[:, None]
        probabilities = nucleus(sharpened.softmax(-1), self.top_p[index])
        steps = torch.tensor([len(self.tokens[row]) for row in rows], device=allowed.device)
        uniform = self.uniforms[index, steps.clamp(max=self.uniforms.shape[1] - 1)]
        # In the order of the ids: sorted by probability, two near-equal neighbours could swap from batch to batch.
        reached = probabilities.cumsum(-1)
        drawn = torch.searchsorted(reached, (uniform * reached[:, -1])[:, None], right=True)[:, 0]
        return torch.where(temperature > 0, drawn.clamp(max=allowed.shape[-1] - 1), best)

    def completions(self, tokenizer: Any) -> list[Completion]:
        """Return what was written; the text is decoded without special tokens."""
        return [self._completion(row, tokenizer) for row in range(len(self.requests))]

    def _completion(self, row: int, tokenizer: Any) -> Completion:
        ids = self.tokens[row]
        ended = bool(ids and ids[-1] in self.stops)
        text_ids = ids[:-1] if ended else ids
        text = tokenizer.decode(text_ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        same = tokenizer(text, add_special_tokens=False).input_ids == text_ids
        return Completion(text, self.logps[row], len(ids), "stop" if ended else "length", same)


def nucleus(probabilities: Tensor, top_p: Tensor) -> Tensor:
    """Zero the tokens outside the smallest set that holds `top_p` (rows,) of `probabilities` (rows, vocabulary)."""
    if bool((top_p >= 1).all()):
        return probabilities
    ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
    outside = ordered.cumsum(-1) - ordered >= top_p[:, None]
    outside[:, 0] = False
    return probabilities.masked_fill(outside.gather(1, order.argsort(-1)), 0.0)


def _uniforms(requests: Sequence[GenerateRequest]) -> Tensor:
    """One float64 in [0, 1) per request and token, drawn on the CPU so that every device gets the same."""
    longest = max((r.max_new_tokens for r in requests), default=1)
    rows = []
    for request in requests:
        generator = torch.Generator().manual_seed(request.seed % 2**63)
        rows.append(torch.rand(longest, generator=generator, dtype=torch.float64))
    return torch.stack(rows) if rows else torch.empty(0, longest, dtype=torch.float64)
