"""Rows about one image -> one packed sequence in which they share the image tokens, and its block attention mask.

Every row sees the global image, the crop when it has one, and itself: the same as if it were alone. Sharing the 72
image tokens makes training about twice as fast on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from transformers import LlavaProcessor

from clincot.errors import ModelError
from clincot.phantom.policy.network import TOKENS
from clincot.phantom.policy.rows import Row
from clincot.phantom.texts.tokenizer import BOS, END, IMAGE, ROLES

TRUNK, CROP, PADDING = 0, 1, -1
IGNORED = -100


@dataclass(frozen=True)
class Packed:
    """Token ids, positions, segment and crop flag per token, and the target of the next-token loss with its weight."""

    ids: list[int]
    positions: list[int]
    segments: list[int]
    sees_crop: list[bool]
    targets: list[int]
    weights: list[float]


@dataclass(frozen=True)
class Batch:
    """Tensors of a batch of packed sequences; `mask` is boolean (batch, 1, length, length)."""

    ids: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor


class Packer:
    """Tokenises rows with the processor's own chat template and packs them."""

    def __init__(self, processor: LlavaProcessor) -> None:
        self._processor = processor
        self._encode = lru_cache(maxsize=200_000)(self._encode_text)
        self._image = int(processor.tokenizer.image_token_id)
        self._head = self._encode_text(BOS + ROLES[1])

    def _encode_text(self, text: str) -> tuple[int, ...]:
        return tuple(self._processor.tokenizer.encode(text, add_special_tokens=False))

    def pack(self, rows: Sequence[Row]) -> Packed:
        """Lay out [global image][crop][row][row]...; positions of a row continue from the images that it sees."""
        whole = Packed([], [], [], [], [], [])
        trunk = [*self._head, *[self._image] * TOKENS]
        append(whole, trunk, TRUNK, False, 0, 0)
        append(whole, [self._image] * TOKENS, CROP, True, len(trunk), 0)
        for number, row in enumerate(rows):
            prompt, answer = self._split(row)
            start = len(trunk) + (TOKENS if row.crop else 0)
            append(whole, [*prompt, *answer], CROP + 1 + number, row.crop, start, len(answer))
        return whole

    def _split(self, row: Row) -> tuple[tuple[int, ...], tuple[int, ...]]:
        text = self._processor.apply_chat_template(row.messages, add_generation_prompt=True)
        head = BOS + ROLES[1] + IMAGE * (2 if row.crop else 1)
        if not text.startswith(head):
            raise ModelError(f"prompt: does not begin with {head!r}. Use the chat template of `tokenizer.py`.")
        return self._encode(text[len(head) :]), self._encode(row.completion + END)


def append(whole: Packed, ids: Sequence[int], segment: int, sees: bool, start: int, scored: int) -> None:
    """Add tokens of one segment to `whole`, at positions from `start`; the last `scored` of them are predicted."""
    count = len(ids)
    whole.ids.extend(ids)
    whole.positions.extend(range(start, start + count))
    whole.segments.extend([segment] * count)
    whole.sees_crop.extend([sees] * count)
    silent = count - scored - 1 if scored else count
    whole.targets.extend([IGNORED] * silent + list(ids[silent + 1 :]) + [IGNORED] * (1 if scored else 0))
    # A report has 40 tokens and "yes" has 2: the square root keeps either from drowning the other.
    weight = scored**-0.5 if scored else 0.0
    whole.weights.extend([0.0] * silent + [weight] * scored + [0.0] * (1 if scored else 0))


def collate(packs: Sequence[Packed], pad: int) -> Batch:
    """Pad packed sequences on the right and build their block mask."""
    longest = max(len(pack.ids) for pack in packs)

    def tensor(name: str, fill: float) -> torch.Tensor:
        return torch.tensor([getattr(p, name) + [fill] * (longest - len(p.ids)) for p in packs])

    segments, sees = tensor("segments", PADDING), tensor("sees_crop", False)
    mine, theirs = segments[:, :, None], segments[:, None, :]
    real = mine != PADDING
    allowed = (mine == theirs) | (real & (theirs == TRUNK)) | (sees[:, :, None] & (theirs == CROP))
    causal = torch.ones(longest, longest, dtype=torch.bool).tril()
    return Batch(
        ids=tensor("ids", pad),
        positions=tensor("positions", 0),
        mask=(allowed & causal)[:, None],
        targets=tensor("targets", IGNORED),
        weights=tensor("weights", 0.0),
    )
