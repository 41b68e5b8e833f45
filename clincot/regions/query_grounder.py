"""Radiographs and finding names -> cross-attention heat maps and presence probabilities, by a MedKLIP-style model.

After MedKLIP (docs/proposers.md#medklip): a convolutional trunk gives image tokens, one query per finding attends to
them through pre-norm decoder layers, and the query's attention over the tokens is its map. Differences, both for 2 CPU
cores: the queries are learned instead of encoded from descriptions, and the tokens form a 32 x 32 grid (coarse stages
are upsampled and added), because a nodule of 10-20 px falls between the centres of MedKLIP's 16 px cells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedConfig, PreTrainedModel, ResNetConfig, ResNetModel

from clincot.errors import ModelError
from clincot.regions.base import HeatMap, Subject

BATCH = 32  # images per forward: 32 of 128 x 128 need about 100 MB of activations


class QueryGrounderConfig(PreTrainedConfig):
    """What a grounder knows and how it reads an image (`image_size`, `image_mean`, `image_std`: preprocessing)."""

    model_type = "clincot-query-grounder"

    entities: list[str] | tuple[str, ...] = ()
    image_size: int = 128
    image_mean: float = 0.5
    image_std: float = 0.25
    stem_width: int = 32
    stage_widths: list[int] | tuple[int, ...] = (48, 80, 112)
    stage_depths: list[int] | tuple[int, ...] = (2, 2, 1)
    width: int = 64
    decoder_layers: int = 2
    heads: int = 4


@dataclass
class Grounding:
    """`logits` (images, entities): presence; `maps` (images, entities, rows, columns): attention, each sums to 1."""

    logits: Tensor
    maps: Tensor
    tokens: Tensor


class Attention(nn.Module):
    """Multi-head attention that also returns its weights, averaged over heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)

    def forward(self, queries: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, q, width), (batch, t, width) -> (batch, q, width), weights (batch, q, t)."""
        query = self.query(queries).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        key, value = self.key_value(tokens).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1)
        return self.output((weights @ value).transpose(1, 2).flatten(2)), weights.mean(1)


class DecoderLayer(nn.Module):
    """Pre-norm DETR-style layer: queries attend to each other, then to the image tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.self_norm, self.cross_norm, self.ffn_norm = (nn.LayerNorm(width) for _ in range(3))
        self.self_attention = Attention(width, heads)
        self.cross_attention = Attention(width, heads)
        self.ffn = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, queries: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        normed = self.self_norm(queries)
        queries = queries + self.self_attention(normed, normed)[0]
        found, weights = self.cross_attention(self.cross_norm(queries), tokens)
        queries = queries + found
        return queries + self.ffn(self.ffn_norm(queries)), weights


class QueryGrounderModel(PreTrainedModel):
    """Grey images (batch, 1, size, size), normalised -> presence logits and attention maps on a grid of size / 4."""

    config_class = QueryGrounderConfig
    base_model_prefix = "grounder"
    main_input_name = "pixel_values"

    def __init__(self, config: QueryGrounderConfig) -> None:
        super().__init__(config)
        grid, width = config.image_size // 4, config.width
        self.trunk = ResNetModel(
            ResNetConfig(
                num_channels=1,
                embedding_size=config.stem_width,
                hidden_sizes=list(config.stage_widths),
                depths=list(config.stage_depths),
                layer_type="basic",
            )
        )
        self.lateral = nn.ModuleList(nn.Conv2d(channels, width, 1) for channels in config.stage_widths)
        self.smooth = nn.Conv2d(width, width, 3, padding=1)
        self.token_norm = nn.LayerNorm(width)
        self.rows = nn.Embedding(grid, width)
        self.columns = nn.Embedding(grid, width)
        self.queries = nn.Embedding(len(config.entities), width)
        self.decoder = nn.ModuleList(DecoderLayer(width, config.heads) for _ in range(config.decoder_layers))
        self.head_norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1)
        self.post_init()

    def tokens(self, pixel_values: Tensor) -> Tensor:
        """(batch, 1, size, size) -> (batch, grid * grid, width)."""
        stages = self.trunk(pixel_values, output_hidden_states=True).hidden_states[1:]
        features = self.lateral[-1](stages[-1])
        for lateral, stage in zip(self.lateral[-2::-1], stages[-2::-1], strict=True):
            features = functional.interpolate(features, size=stage.shape[-2:], mode="nearest") + lateral(stage)
        places = self.rows.weight[:, None] + self.columns.weight[None]
        features = features + functional.relu(self.smooth(functional.relu(features)))
        return self.token_norm(features.flatten(2).transpose(1, 2)) + places.flatten(0, 1)

    def forward(self, pixel_values: Tensor) -> Grounding:
        tokens = self.tokens(pixel_values)
        queries = self.queries.weight.expand(len(tokens), -1, -1)
        weights = []
        for layer in self.decoder:
            queries, attention = layer(queries, tokens)
            weights.append(attention)
        grid = self.config.image_size // 4
        maps = torch.stack(weights).mean(0).unflatten(-1, (grid, grid))
        return Grounding(self.head(self.head_norm(queries)).squeeze(-1), maps, tokens)


def grounder_pixels(images: Sequence[Image.Image], config: QueryGrounderConfig) -> Tensor:
    """Grey, resized without keeping the aspect (as MedKLIP), normalised: float32 (images, 1, size, size)."""
    size = (config.image_size, config.image_size)
    grey = [np.asarray(image.convert("L").resize(size, Image.Resampling.BOX), np.float32) for image in images]
    pixels = torch.from_numpy(np.stack(grey))[:, None] / 255.0
    return (pixels - config.image_mean) / config.image_std


class QueryGrounder:
    """A trained QueryGrounderModel as a proposer: `known` are its entities, `key` names its exact weights."""

    def __init__(self, model: QueryGrounderModel, name: str, key: str) -> None:
        self.model = model.eval()
        self.name = name
        self.key = key
        self.known: tuple[str, ...] | None = tuple(model.config.entities)

    @classmethod
    def from_pretrained(cls, source: str | Path, *, key: str | None = None, device: str = "cpu") -> QueryGrounder:
        """Load a local folder or a Hub repository; `key` defaults to a digest of configuration and weights."""
        try:
            model = QueryGrounderModel.from_pretrained(str(source)).to(device)
        except (OSError, ValueError) as error:
            advice = "Name a folder or repository made by `clincot phantom pretrain --only grounder`"
            raise ModelError(f"grounder {source}: cannot be loaded ({error}). {advice}.") from error
        return cls(model, str(source), key or _digest(model))

    @property
    def weights(self) -> torch.nn.Module:
        """Return what a GPU must hold while this proposer looks (lm/parking.py)."""
        return self.model

    @torch.no_grad()
    def heat_maps(self, subjects: Sequence[Subject], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        """Per subject, one map per hypothesis: attention grid scaled to [0, 1], confidence = presence probability.

        Raises ModelError for a hypothesis that is not among `known`.
        """
        self._refuse_unknown(hypotheses)
        found: list[list[HeatMap]] = []
        for start in range(0, len(subjects), BATCH):
            images = [subject.image for subject in subjects[start : start + BATCH]]
            pixels = grounder_pixels(images, self.model.config)
            grounding = self.model(pixels.to(self.model.device))
            probabilities = grounding.logits.sigmoid().cpu().numpy()
            maps = grounding.maps.cpu().numpy().astype(np.float32)
            wanted = hypotheses[start : start + BATCH]
            found += [self._of_image(*one) for one in zip(wanted, maps, probabilities, strict=True)]
        return found

    def _of_image(self, wanted: Sequence[str], maps: np.ndarray, probabilities: np.ndarray) -> list[HeatMap]:
        places = [self.model.config.entities.index(name) for name in wanted]
        return [HeatMap(n, _unit_range(maps[p]), float(probabilities[p])) for n, p in zip(wanted, places, strict=True)]

    def _refuse_unknown(self, hypotheses: Sequence[Sequence[str]]) -> None:
        known = self.known or ()
        unknown = sorted({name for wanted in hypotheses for name in wanted} - set(known))
        if unknown:
            names = ", ".join(repr(name) for name in unknown)
            raise ModelError(
                f"grounder {self.name}: cannot look for {names}. Use hypotheses among: {', '.join(known)}."
            )


def _unit_range(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    return (values - low) / max(float(high - low), 1e-12)


def _digest(model: QueryGrounderModel) -> str:
    config = model.config
    reading = (tuple(config.entities), config.image_size, config.image_mean, config.image_std, config.heads)
    digest = hashlib.sha256(repr(reading).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
