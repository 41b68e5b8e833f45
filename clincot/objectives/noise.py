"""A side of a pair -> the same side with diffusion noise over each of its images, as in POVID's second stage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b

from clincot.images.corruptions import diffusion_noise
from clincot.objectives.sides import Side


@dataclass(frozen=True)
class Noise:
    """Noise of step 1000 * `strength` over the whole image, before any resizing; equal sides get equal noise.

    `seed` is that of the recipe: the noise of a side is drawn from it, the texts and the image, so it does not depend
    on the batch, on the number of processes or on a resumption, and is the same in every epoch.
    """

    strength: float
    seed: int

    def __call__(self, side: Side) -> Side:
        images = zip(side.images, side.image_keys, strict=True)
        return replace(
            side,
            images=tuple(
                diffusion_noise(image, self.strength, self._seed(side, place, key))
                for place, (image, key) in enumerate(images)
            ),
        )

    def _seed(self, side: Side, place: int, key: str) -> int:
        parts = (str(self.seed), str(place), key, side.prompt, side.completion)
        return int.from_bytes(blake2b("\0".join(parts).encode(), digest_size=8).digest(), "big")
