"""Segments of prompts and their encoded images -> what a model's forward takes of them in addition to token ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutputWithPooling

from clincot.engines._policy import Policy
from clincot.engines._vision import DEEPER, OF_TOKENS, VisionFeatures, parameters
from clincot.lm.segments import Segment


class ImageInputs:
    """The images of segments, as `vision` has encoded them."""

    def __init__(self, policy: Policy, vision: VisionFeatures) -> None:
        self.policy = policy
        self.vision = vision
        self._takes = parameters(policy.model.forward)
        self._rope: Any = getattr(policy.model.base_model, "get_rope_index", None)

    @property
    def counts_otherwise(self) -> bool:
        """Whether the model gives an image another number of positions than it has tokens."""
        return self._rope is not None

    def inputs(self, segments: Sequence[Segment], ids: Tensor, before: int) -> dict[str, Any]:
        """Return inputs of `forward` for `segments`, whose `ids` (rows, tokens) follow `before` places of a cache."""
        found = [self.vision(name) for segment in segments for name in segment.images]
        if not found:
            return {}
        features: Any = [one.features for one in found]
        out = BaseModelOutputWithPooling(pooler_output=features if self.vision.listed else torch.cat(features))
        if found[0].deeper:
            out[DEEPER] = [list(layer) for layer in zip(*(one.deeper for one in found), strict=True)]
        # Attention within an image in both directions (Gemma 3) goes by places, those of the cache included.
        here = (ids == self.policy.image_id).to(ids.dtype)
        marks = torch.cat([here.new_zeros(len(ids), before), here], dim=1)
        names = [name for name in self.vision.marks if name in self._takes]
        return {"mm_encoder_outputs": {"image": out}, **dict.fromkeys(names, marks)}

    def positions(self, segment: Segment) -> Tensor:
        """Return the positions (axes, tokens) of a segment with images as the model counts them; the first is 0."""
        ids = torch.tensor([segment.ids])
        marks = (ids == self.policy.image_id).int()
        given = {"input_ids": ids, "mm_token_type_ids": marks, "attention_mask": torch.ones_like(ids)}
        takes = parameters(self._rope)
        grids = [self.vision(name).grid or {} for name in segment.images]
        grid = {name: torch.cat([one[name] for one in grids]) for name in grids[0]}
        places: Tensor = self._rope(**{name: given[name] for name in OF_TOKENS & takes}, **grid)[0]
        return places[:, 0]
