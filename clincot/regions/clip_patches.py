"""Images and words -> similarity maps of image patches and text, by any CLIP or SigLIP model of the Hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from PIL.Image import Image
from torch import Tensor

from clincot.regions._clip_encoder import TEMPLATE, DualEncoder, load_dual_encoder
from clincot.regions._clip_towers import square
from clincot.regions._weights import unit_range, weights_key
from clincot.regions.base import HeatMap, Subject

BATCH = 8  # images per forward


class ClipPatches:
    """Cosine of every patch's embedding with the text's; looks for anything (`known` is None).

    Confidence is the belief of the model that the whole image matches the text: SigLIP's own sigmoid; for CLIP, which
    has none, (1 + cosine) / 2, of which only the order means anything.
    """

    known: tuple[str, ...] | None = None

    def __init__(self, encoder: DualEncoder, name: str, key: str) -> None:
        self.encoder = encoder
        self.name = name
        self.key = key

    @classmethod
    def from_pretrained(cls, source: str | Path, *, key: str | None = None, device: str = "cpu") -> Self:
        """Load a local folder or a Hub repository; `key` defaults to a digest of weights and text template.

        Raises ModelError for a model that is neither a CLIPModel nor a SiglipModel, or that cannot be loaded.
        """
        encoder = load_dual_encoder(source, device)
        return cls(encoder, str(source), key or weights_key(encoder.model, (cls.__name__, TEMPLATE)))

    @property
    def weights(self) -> torch.nn.Module:
        """Return what a GPU must hold while this proposer looks (lm/parking.py)."""
        model: torch.nn.Module = self.encoder.model
        return model

    def heat_maps(self, subjects: Sequence[Subject], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        """Per subject, one map per hypothesis on the model's grid of patches, scaled to [0, 1].

        Each image is encoded once for all its hypotheses, each text once for the life of the proposer.
        """
        found: list[list[HeatMap]] = []
        towers = self.encoder.towers
        for start in range(0, len(subjects), BATCH):
            pixels = self.encoder.pixels([subject.image for subject in subjects[start : start + BATCH]])
            with torch.no_grad():
                before, last = towers.states(pixels)
                whole = towers.image(last)
            for row, wanted in enumerate(hypotheses[start : start + BATCH]):
                if not wanted:
                    found.append([])
                    continue
                texts = self.encoder.texts(wanted)
                beliefs = towers.probability(texts @ whole[row]).tolist()
                values = self.maps(before[row], last[row], texts).cpu().numpy()
                read = zip(wanted, values, beliefs, strict=True)
                found.append([HeatMap(name, unit_range(one), belief) for name, one, belief in read])
        return found

    @torch.no_grad()
    def similarity(self, images: Sequence[Image], texts: Sequence[str]) -> list[float]:
        """Return, for each image and its text, the belief of `heat_maps` in [0, 1]; a text is read as it is.

        A text beyond the model's length is cut.
        """
        found: list[float] = []
        for start in range(0, len(images), BATCH):
            _, last = self.encoder.towers.states(self.encoder.pixels(images[start : start + BATCH]))
            cosines = (self.encoder.towers.image(last) * self.encoder.sentences(texts[start : start + BATCH])).sum(-1)
            found += self.encoder.towers.probability(cosines).tolist()
        return found

    @torch.no_grad()
    def maps(self, before: Tensor, last: Tensor, texts: Tensor) -> Tensor:
        """States of one image around the last layer (tokens, width) and texts (n, dim) -> (n, rows, columns)."""
        return square(texts @ self.encoder.towers.patches(last[None])[0].T)
