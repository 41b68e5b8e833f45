"""Rows, or groups of rows -> one batch in the layout that the recipe names: pair, shared or group."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor

from clincot.errors import DataError
from clincot.objectives.collator import IMAGE_KEYS, TOKEN_WEIGHTS, PairCollator
from clincot.objectives.sides import Row, Side
from clincot.objectives.tree import Text, padded, plant
from clincot.recipe import BatchLayout

MEMBERS = "members"
# What a packed batch adds to the model's inputs: `owner` (rows, tokens), the texts of each pair (pairs,).
TREE_KEYS = ("owner", "chosen_text", "rejected_text")
SHAREABLE = {"input_ids", "attention_mask", "completion_mask", "pixel_values", TOKEN_WEIGHTS}
TextKey = tuple[str, str, tuple[str, ...], tuple[float, ...] | None]


@dataclass(frozen=True)
class RowsCollator:
    """`pair`: two sequences a pair. `shared`: one row a pair. `group`: one row for all pairs of a group.

    Elements are rows, or entries of `groups(source)` when `source` is given.
    """

    pairs: PairCollator
    layout: BatchLayout = "pair"
    source: Dataset | None = None

    @property
    def stored_reference(self) -> bool:
        return self.pairs.stored_reference

    def __call__(self, elements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return what PairCollator returns, or with trees: a 4D mask, position_ids and the keys of TREE_KEYS."""
        groups = [self.rows(element) for element in elements]
        if self.layout == "pair":
            return self.pairs([row for group in groups for row in group])
        return self._packed(groups)

    def rows(self, element: Mapping[str, Any]) -> list[Row]:
        """Return the preference rows of one element of the dataset."""
        return [element] if self.source is None else [self.source[i] for i in element[MEMBERS]]

    def _packed(self, groups: Sequence[Sequence[Row]]) -> dict[str, Any]:
        number: dict[tuple[int, TextKey], int] = {}  # a candidate in several pairs of a row is one text
        sides: list[Side] = []
        pairs: list[list[int]] = []
        first: list[int] = []
        for at, row in enumerate(groups):
            first.append(len(sides))
            for pair in map(self.pairs.renderer.pair, row):
                for side in pair:
                    if number.setdefault((at, _key(side)), len(sides)) == len(sides):
                        sides.append(side)
                pairs.append([number[at, _key(side)] for side in pair])
        texts, images = self._texts(sides)
        trees = [plant(texts[a:b], a) for a, b in itertools.pairwise([*first, len(texts)])]
        batch: dict[str, Any] = padded(trees, self._pad())
        batch["chosen_text"], batch["rejected_text"] = torch.tensor(pairs).T
        rows = [row for group in groups for row in group]
        lengths = torch.tensor([len(text.prompt) + len(text.completion) for text in texts])
        self.pairs.check_length(lengths[torch.tensor(pairs).T.flatten()], rows)
        shown = [key[0] for tree in trees for key in tree.keys if isinstance(key, tuple) and key[1] == 0]
        if shown:
            batch["pixel_values"] = torch.stack([images[key] for key in shown])
            batch[IMAGE_KEYS] = shown
        return batch | self.pairs.columns(rows)

    def _texts(self, sides: Sequence[Side]) -> tuple[list[Text], dict[str, Tensor]]:
        """Tokenise as PairCollator does and distinguish image tokens of different images."""
        batch = self.pairs.tokens(sides)
        names = [name for side in sides for name in side.image_keys]
        pixels = batch.get("pixel_values", ())
        if more := sorted(set(batch) - SHAREABLE):
            raise NotShareable(f"its processor makes {', '.join(more)} too, which texts of one row do not share")
        if len(pixels) != len(names):
            raise NotShareable(f"its processor makes {len(pixels)} tensors of pixels of {len(names)} images")
        image = getattr(self.pairs.renderer.processor, "image_token_id", None)
        texts = []
        for row, side in enumerate(sides):
            real, written = batch["attention_mask"][row].bool(), batch["completion_mask"][row].bool()
            prompt = batch["input_ids"][row][real & ~written].tolist()
            completion = batch["input_ids"][row][written].tolist()
            keys = _prompt_keys(prompt, image, side.image_keys)
            texts.append(Text(tuple(prompt), keys, tuple(completion), side.weights))
        return texts, dict(zip(names, pixels, strict=True))

    def _pad(self) -> int:
        return int(self.pairs.renderer.processor.tokenizer.pad_token_id or 0)


class NotShareable(DataError):
    """A model or processor that shared rows do not fit; the reason completes `the model: ...`."""


def groups(rows: Dataset) -> Dataset:
    """Return one entry a group (example and step), in the order of first rows; `members` point into `rows`.

    A row without a group is a group. The other columns are those by which TRL recognises a vision dataset.
    """
    found: dict[str, list[int]] = {}
    names = rows["group"] if "group" in rows.column_names else [None] * len(rows)
    for index, name in enumerate(names):
        found.setdefault(f"row {index}" if name is None else f"group {name}", []).append(index)
    count = len(found)
    return Dataset.from_dict({MEMBERS: list(found.values()), "images": [[]] * count, "prompt": [""] * count})


def _key(side: Side) -> TextKey:
    return side.prompt, side.completion, side.image_keys, side.weights


def _prompt_keys(prompt: Sequence[int], image: int | None, names: Sequence[str]) -> tuple[Hashable, ...]:
    places = [place for place, token in enumerate(prompt) if token == image]
    if not names:
        return tuple(prompt)
    if not places or len(places) % len(names):
        raise NotShareable(f"{len(names)} images have {len(places)} image tokens, which cannot be assigned to them")
    size = len(places) // len(names)
    keys: list[Hashable] = list(prompt)
    for order, place in enumerate(places):
        keys[place] = (names[order // size], order % size)
    return tuple(keys)
