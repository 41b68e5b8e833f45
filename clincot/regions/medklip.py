"""Radiographs and entity names -> cross-attention heat maps and presence probabilities, by a converted MedKLIP.

The weights are the authors' and come without a licence, so none are shipped: `clincot convert medklip` writes the
folder that is loaded here from your own copy. Chest radiographs only (docs/proposers.md#medklip).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clincot.errors import ModelError
from clincot.regions._medklip_model import MedKlipConfig, MedKlipModel
from clincot.regions._weights import unit_range, weights_key
from clincot.regions.base import HeatMap, Subject

BATCH = 16  # images per forward: 16 of 224 x 224 need 230 MB (measured)
CONVERT = "clincot convert medklip CHECKPOINT OUT --descriptions FILE --text-encoder REPO"
# Names of ChestX-ray14 for entities that MedKLIP calls otherwise (the authors' own evaluation reads them so).
ALIASES = {"infiltration": "infiltrate", "pleural thickening": "thicken", "fibrosis": "tail_abnorm_obs"}


class MedKlip:
    """A converted MedKLIP as a proposer: `known` are its 75 entities, `key` names its exact weights.

    All 75 queries are always asked: they attend to each other, so a subset would have other maps.
    """

    def __init__(self, model: MedKlipModel, name: str, key: str) -> None:
        self.model = model.eval()
        self.name = name
        self.key = key
        self.known: tuple[str, ...] | None = tuple(model.config.entities)

    @classmethod
    def from_pretrained(cls, source: str | Path, *, key: str | None = None, device: str = "cpu") -> MedKlip:
        """Load a folder that `clincot convert medklip` wrote; `key` defaults to a digest of weights and configuration.

        Raises ModelError when the folder holds no MedKLIP, or one that lacks weights.
        """
        model = _load(source).to(device)
        return cls(model, str(source), key or weights_key(model, _reading(model.config)))

    @property
    def weights(self) -> torch.nn.Module:
        """Return what a GPU must hold while this proposer looks (lm/parking.py)."""
        return self.model

    @torch.no_grad()
    def heat_maps(self, subjects: Sequence[Subject], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        """Per subject, one 14 x 14 map per hypothesis, scaled to [0, 1]; confidence = presence probability.

        The map is the attention of the entity's query over the image tokens, averaged over heads and layers. Raises
        ModelError for a hypothesis that is neither among `known` nor in `ALIASES`.
        """
        places = [[self._place(name) for name in wanted] for wanted in hypotheses]
        found: list[list[HeatMap]] = []
        for start in range(0, len(subjects), BATCH):
            images = [subject.image for subject in subjects[start : start + BATCH]]
            output = self.model(medklip_pixels(images, self.model.config).to(self.model.device))
            present = output.logits.softmax(-1)[..., 1].cpu().numpy()
            maps = output.maps.cpu().numpy()
            for row in range(len(images)):
                asked = zip(hypotheses[start + row], places[start + row], strict=True)
                found.append([HeatMap(n, unit_range(maps[row, p]), float(present[row, p])) for n, p in asked])
        return found

    def _place(self, name: str) -> int:
        known = self.known or ()
        entity = name if name in known else ALIASES.get(name, name)
        if entity not in known:
            raise ModelError(
                f"medklip {self.name}: cannot look for {name!r}. Use hypotheses among: {', '.join(known)}."
            )
        return known.index(entity)


def medklip_pixels(images: Sequence[Image.Image], config: MedKlipConfig) -> Tensor:
    """RGB, resized without keeping the aspect, normalised as ImageNet: float32 (images, 3, 224, 224)."""
    size = (config.image_size, config.image_size)
    resized = [np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR), np.float32) for image in images]
    mean, std = torch.tensor(config.image_mean), torch.tensor(config.image_std)
    pixels = (torch.from_numpy(np.stack(resized)) / 255.0 - mean) / std
    return pixels.permute(0, 3, 1, 2).contiguous()


def _load(source: str | Path) -> MedKlipModel:
    advice = f"Make one from your own copy of the authors' checkpoint: {CONVERT}"
    try:
        model, info = MedKlipModel.from_pretrained(str(source), output_loading_info=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"medklip {source}: holds no converted MedKLIP ({error}). {advice}") from error
    # from_pretrained only warns, and fills what is missing with random numbers.
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelError(f"medklip {source}: lacks {len(missing)} weights, first {missing[0]!r}. {advice}")
    return model


def _reading(config: MedKlipConfig) -> tuple[object, ...]:
    return tuple(config.entities), config.image_size, tuple(config.image_mean), tuple(config.image_std), config.heads
