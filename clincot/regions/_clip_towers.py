"""A CLIPModel or SiglipModel -> its image tower in parts: states, patches, the whole image, the belief in a text.

All embeddings are of unit length, so that products are cosines.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn.functional import normalize


def square(per_patch: Tensor) -> Tensor:
    """(n, patches) -> (n, rows, columns); images are read as squares."""
    side = round(per_patch.shape[1] ** 0.5)
    return per_patch.unflatten(1, (side, side))


class ClipTowers:
    """CLIPModel: a class token in front of the patches, one projection for all of them."""

    class_tokens = 1

    def __init__(self, model: Any) -> None:
        self.model = model

    def states(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(images, 3, h, w) -> the states before and after the last layer, each (images, tokens, width)."""
        states = self.model.vision_model(pixel_values=pixels, output_hidden_states=True).hidden_states
        return states[-2], states[-1]

    def patches(self, last: Tensor) -> Tensor:
        """States after the last layer -> an embedding of every patch alone (images, patches, dim)."""
        return self._project(last[:, 1:])

    def image(self, last: Tensor) -> Tensor:
        """States after the last layer -> the embedding of the whole image (images, dim)."""
        return self._project(last[:, 0])

    def probability(self, cosine: Tensor) -> Tensor:
        """Cosine of an image and a text -> belief in [0, 1] that the text holds of the image."""
        # CLIP is trained to rank texts and has no probability of one text: only the order of these means anything.
        return (1 + cosine) / 2

    def read(self, before: Tensor, last: Tensor) -> Tensor:
        """Both states -> the normed states that the pooling over patches reads (images, tokens, width)."""
        return self.model.vision_model.encoder.layers[-1].layer_norm1(before)

    def pool(self, read: Tensor, before: Tensor) -> Tensor:
        """What the pooling reads -> the embedding of the whole image (images, dim)."""
        layer = self.model.vision_model.encoder.layers[-1]
        state = before + layer.self_attn(hidden_states=read, attention_mask=None)[0]
        return self.image(state + layer.mlp(layer.layer_norm2(state)))

    def _project(self, states: Tensor) -> Tensor:
        return normalize(self.model.visual_projection(self.model.vision_model.post_layernorm(states)), dim=-1)


class SiglipTowers(ClipTowers):
    """SiglipModel: no class token; an attention-pooling head, which each patch token is given alone."""

    class_tokens = 0

    def patches(self, last: Tensor) -> Tensor:
        images, tokens, _ = last.shape
        alone = self.image(last.flatten(0, 1)[:, None])
        return alone.unflatten(0, (images, tokens))

    def image(self, last: Tensor) -> Tensor:
        return self.pool(self.read(last, last), last)

    def read(self, before: Tensor, last: Tensor) -> Tensor:
        return self.model.vision_model.post_layernorm(last)

    def pool(self, read: Tensor, before: Tensor) -> Tensor:
        return normalize(self.model.vision_model.head(read), dim=-1)

    def probability(self, cosine: Tensor) -> Tensor:
        # SigLIP's own: it is trained with a sigmoid per pair of image and text.
        return (cosine * self.model.logit_scale.exp() + self.model.logit_bias).sigmoid()
