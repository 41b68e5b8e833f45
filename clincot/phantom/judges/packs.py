"""Token rows that differ in their last part only -> one packed row per context, and the losses of its branches.

A judge's rows of one context share rubric, question, reference and findings, four fifths of their tokens. Packed, the
shared part is computed once and each branch attends to it and to itself, at the positions it would have alone: the
same losses as row by row, from 158 tokens for seven rows instead of about 730 (measured means).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlamaForCausalLM

IGNORED = -100
PADDING = -1
REPLY = 2  # digit and end token


@dataclass(frozen=True)
class Pack:
    """`branches` is 0 on the shared part and k on the k-th statement; `targets` are next tokens within a branch."""

    tokens: tuple[int, ...]
    positions: tuple[int, ...]
    branches: tuple[int, ...]
    targets: tuple[int, ...]
    replies: tuple[bool, ...]


def common_prefix(rows: Sequence[Sequence[int]]) -> int:
    """How many leading tokens all rows share, at most all but the last three of the shortest."""
    low, high = min(rows, key=list), max(rows, key=list)
    shared = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return min(shared, *(len(row) - REPLY - 1 for row in rows))


def pack(rows: Sequence[Sequence[int]]) -> Pack:
    """Pack rows that end in a digit and an end token; the last shared token predicts nothing, as branches differ."""
    shared = common_prefix(rows)
    tokens, targets = list(rows[0][:shared]), [*rows[0][1:shared], IGNORED]
    positions, branches, replies = list(range(shared)), [0] * shared, [False] * shared
    for branch, row in enumerate(rows, start=1):
        rest = list(row[shared:])
        tokens += rest
        targets += [*rest[1:], IGNORED]
        positions += range(shared, len(row))
        branches += [branch] * len(rest)
        replies += [False] * (len(rest) - REPLY - 1) + [True] * REPLY + [False]
    return Pack(tuple(tokens), tuple(positions), tuple(branches), tuple(targets), tuple(replies))


def packed_losses(model: LlamaForCausalLM, packs: Sequence[Pack]) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy (nats) of the replies' tokens, and of all other text."""
    tokens, positions = _padded([p.tokens for p in packs], 0), _padded([p.positions for p in packs], 0)
    branches, targets = _padded([p.branches for p in packs], PADDING), _padded([p.targets for p in packs], IGNORED)
    replies = _padded([p.replies for p in packs], False)
    visible = (branches[:, None, :] == 0) | (branches[:, None, :] == branches[:, :, None])
    visible = (visible & torch.ones(visible.shape[1:], dtype=torch.bool).tril())[:, None]
    hidden = model.model(tokens, attention_mask=visible, position_ids=positions, use_cache=False).last_hidden_state
    logits = model.lm_head(hidden).transpose(1, 2)
    nll = functional.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="none")
    text = (targets != IGNORED) & ~replies
    return nll[replies].mean() * REPLY, nll[text].mean()


def _padded(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    tensors = [torch.tensor(row) for row in rows]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=value)
