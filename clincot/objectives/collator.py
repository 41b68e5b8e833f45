"""Rows of preference pairs -> one batch, chosen sides first, with each side's own images and each pair's margin."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from trl.trainer.utils import flush_left

from clincot.errors import DataError, ModelError
from clincot.lm.loading import first_line
from clincot.objectives.margin import margin
from clincot.objectives.noise import Noise
from clincot.objectives.sides import Renderer, Row, Side
from clincot.recipe import Margin
from clincot.rows.odd_texts import same_words

TOKEN_TYPES = "token_type_ids"
# What the batch adds to the model's inputs; all (pairs,), `row_ids` a list of strings for error messages.
# `of_images` is boolean: both sides have one text, so that their images differ.
REFERENCE_KEYS = ("ref_chosen_logp", "ref_rejected_logp", "ref_inherent_logp")
PAIR_KEYS = ("margin", "weight", *REFERENCE_KEYS, "row_ids", "of_images")
TOKEN_WEIGHTS = "token_weights"  # (rows, tokens), where any text has weights; 1 elsewhere
NOISED = "noised"  # the chosen sides with noised images, as a batch of (pairs, tokens)
IMAGE_KEYS = "image_keys"  # a list of strings, one for each image of `pixel_values`, equal for equal images


@dataclass(frozen=True)
class PairCollator:
    """Collates without ever truncating: a row of more than `budget` tokens is an error.

    With `stored_reference` the batch carries the rows' reference log-probabilities, NaN for those that have none. With
    `noise` it carries NOISED. `kept` has columns of reference log-probabilities by the ids of rows, which come first.
    """

    renderer: Renderer
    margin: Margin
    stored_reference: bool = False
    budget: int | None = None
    noise: Noise | None = None
    kept: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Return input_ids, attention_mask, completion_mask (2 * pairs, tokens), images and the keys of PAIR_KEYS."""
        pairs = [self.renderer.pair(row) for row in rows]
        sides = [chosen for chosen, _ in pairs] + [rejected for _, rejected in pairs]
        batch = self.tokens(sides)
        self.check_length(batch["attention_mask"].sum(1), rows)
        if "pixel_values" in batch:
            batch[IMAGE_KEYS] = [key for side in sides for key in side.image_keys]
        return batch | self.columns(rows)

    def columns(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Return the keys of PAIR_KEYS, those of the reference where it is stored."""
        columns: dict[str, Any] = {
            "margin": torch.stack([self._margin(row) for row in rows]).float(),
            "weight": torch.tensor([_weight(row) for row in rows], dtype=torch.float32),
            "row_ids": [str(row.get("id", "?")) for row in rows],
            "of_images": torch.tensor([same_words(row["chosen"], row["rejected"]) for row in rows]),
        }
        for name, values in self.kept.items():
            columns[name] = torch.tensor([values[row["id"]] for row in rows], dtype=torch.float32)
        if self.noise is not None:
            columns[NOISED] = self._noised(rows, self.noise)
        if self.stored_reference:
            for name in ("ref_chosen_logp", "ref_rejected_logp"):
                columns[name] = torch.tensor([_logp(row, name) for row in rows], dtype=torch.float32)
        return columns

    def _noised(self, rows: Sequence[Row], noise: Noise) -> dict[str, Any]:
        sides = [noise(self.renderer.pair(row)[0]) for row in rows]
        keys = [key for side in sides for key in side.image_keys]
        return self.tokens([replace(side, weights=None) for side in sides]) | {IMAGE_KEYS: keys}

    def tokens(self, sides: Sequence[Side]) -> dict[str, Any]:
        """Return input_ids, attention_mask and completion_mask (sides, tokens), and the images in the sides' order.

        Columns are recognised by their shapes: what has a value or mask for each token is joined with what the text
        continues it with, all else is of images. Where a side has weights, also TOKEN_WEIGHTS.
        """
        # Prompt and completion are tokenised apart, as generation did; together, tokens could merge across the seam.
        # Completions by the tokenizer: processors add BOS to a text (Mllama) or demand images (PaliGemma).
        options = {"padding": True, "return_tensors": "pt", "add_special_tokens": False}
        processor = self.renderer.processor
        prompts = self._prompts(sides, padding_side="left", **options)
        texts = processor.tokenizer([s.completion for s in sides], padding_side="right", **options)
        written = texts["attention_mask"]
        marked = prompts.pop("labels", None) is not None
        columns = {
            name: _join(value, _continued(value, written.shape[1], marked and name == TOKEN_TYPES))
            for name, value in prompts.items()
            if value.shape[:2] == prompts["input_ids"].shape
        }
        columns |= {name: _join(prompts[name], texts[name]) for name in ("input_ids", "attention_mask")}
        columns["completion_mask"] = _join(torch.zeros_like(prompts["attention_mask"]), written)
        if any(side.weights is not None for side in sides):
            columns[TOKEN_WEIGHTS] = _join(torch.ones(prompts["input_ids"].shape), _weights(texts, sides))
        return prompts | _flushed(columns)

    def _prompts(self, sides: Sequence[Side], **options: Any) -> dict[str, Any]:
        images = [list(side.images) for side in sides] if any(side.images for side in sides) else None
        try:
            return dict(self.renderer.processor(images=images, text=[side.prompt for side in sides], **options))
        except ValueError as error:
            if images is not None:
                raise
            raise ModelError(
                f"policy: its processor reads no prompt without images ({first_line(error)}). Train on pairs that have"
                " images, or name another model."
            ) from error

    def check_length(self, lengths: Tensor, rows: Sequence[Row]) -> None:
        """Raise DataError for a side over the budget; `lengths` (sides,) are those of `rows`, chosen sides first."""
        longest = int(lengths.max())
        if self.budget is not None and longest > self.budget:
            row = rows[int(lengths.argmax()) % len(rows)]
            raise DataError(
                f"row {row.get('id', '?')}: has {longest} tokens with its images, the model takes {self.budget}."
                " Build with fewer or shorter texts, or train with conditioning=global."
            )

    def _margin(self, row: Row) -> Tensor:
        if self.margin.kind == "none":
            return torch.zeros(())
        scores = (_score(row, "chosen_score"), _score(row, "rejected_score"))
        return margin(self.margin.kind, self.margin.scale, *scores)


def _join(prompt: Tensor, completion: Tensor) -> Tensor:
    return torch.cat((prompt, completion), dim=1)


def _continued(prompt: Tensor, length: int, marked: bool) -> Tensor:
    """Return what a column of the prompt, (sides, tokens, ...), holds for `length` written tokens: its last value.

    `generate` continues the columns of every class so. `marked`: the processor writes labels by its token types, so
    they are 1 where the model writes, and what it writes is seen from left to right alone (PaliGemma).
    """
    last = torch.ones_like(prompt[:, -1:]) if marked else prompt[:, -1:]
    return last.expand(-1, length, *prompt.shape[2:])


def _flushed(columns: dict[str, Tensor]) -> dict[str, Tensor]:
    """Move the padding of columns, (sides, tokens, ...), behind the tokens."""
    mask = columns["attention_mask"]
    places = torch.arange(mask.shape[1]).expand(mask.shape)
    order = flush_left(mask, places)[1]
    return {
        name: torch.take_along_dim(value, order.reshape(*order.shape, *[1] * (value.dim() - 2)), 1)
        for name, value in columns.items()
    }


def _weights(texts: Any, sides: Sequence[Side]) -> Tensor:
    """Return the weight of each token of the texts, (sides, tokens); DataError for a text of other tokens."""
    weights = torch.ones(texts["input_ids"].shape)
    for at, side in enumerate(sides):
        if side.weights is None:
            continue
        tokens = int(texts["attention_mask"][at].sum())
        if len(side.weights) != tokens:
            raise DataError(
                f"text {side.completion[:60]!r}: has {tokens} tokens, end token included, and {len(side.weights)} token"
                " weights. Build the dataset again with the policy that is trained."
            )
        weights[at, :tokens] = torch.tensor(side.weights)
    return weights


def _weight(row: Row) -> float:
    return 1.0 if row.get("weight") is None else _finite(row, "weight")


def _finite(row: Row, name: str) -> float:
    value = float(row[name])
    if not math.isfinite(value):
        raise DataError(f"row {row.get('id', '?')}: {name} is {value}, not a number. Build the dataset again.")
    return value


def _logp(row: Row, name: str) -> float:
    # A stored log-probability is the plain sum over the tokens.
    weighed = row.get(f"{name.removeprefix('ref_').removesuffix('_logp')}_token_weights") is not None
    return math.nan if weighed or row.get(name) is None else float(row[name])


def _score(row: Row, name: str) -> float:
    if row.get(name) is None:
        raise DataError(
            f"row {row.get('id', '?')}: has no {name}. Train with margin.kind=none or build the dataset again."
        )
    return _finite(row, name)
