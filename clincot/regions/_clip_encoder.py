"""A CLIP or SigLIP model of the Hub and words -> what both patch readings need: pixels, states, and embedded texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from clincot.errors import ModelError
from clincot.regions._clip_towers import ClipTowers, SiglipTowers

KNOWN = {"clip": "CLIPModel", "siglip": "SiglipModel"}
TEMPLATE = "a medical image showing {}"


class DualEncoder:
    """A loaded model with its way to read images and words; texts are embedded once and kept."""

    def __init__(self, model: Any, images: Any, tokenizer: Any) -> None:
        self.model = model.eval().requires_grad_(False)
        self.towers = (SiglipTowers if model.config.model_type == "siglip" else ClipTowers)(model)
        self._images, self._tokenizer = images, tokenizer
        self._texts: dict[str, Tensor] = {}

    def pixels(self, images: Sequence[Image.Image]) -> Tensor:
        """Resize without keeping the aspect and without a crop, so that the grid spans the whole image; normalise."""
        side = self.model.config.vision_config.image_size
        read = self._images(
            images=[image.convert("RGB") for image in images],
            size={"height": side, "width": side},
            do_resize=True,
            do_center_crop=False,
            return_tensors="pt",
        )
        return read["pixel_values"].to(self.model.device)

    @torch.no_grad()
    def texts(self, hypotheses: Sequence[str]) -> Tensor:
        """(hypotheses, dim), unit length. Each is read alone, so that it does not depend on what was asked with it."""
        for name in hypotheses:
            if name not in self._texts:
                self._texts[name] = self._embed(TEMPLATE.format(name.lower()))
        return torch.stack([self._texts[name] for name in hypotheses])

    @torch.no_grad()
    def sentences(self, texts: Sequence[str]) -> Tensor:
        """(texts, dim), unit length, without the template; nothing is kept."""
        return torch.stack([self._embed(text) for text in texts])

    def _embed(self, text: str) -> Tensor:
        longest = self.model.config.text_config.max_position_embeddings
        # SigLIP is trained on padded texts and reads the last place; CLIP reads the place of its end token.
        padding = "max_length" if self.model.config.model_type == "siglip" else False
        ids = self._tokenizer(text, padding=padding, truncation=True, max_length=longest, return_tensors="pt").input_ids
        return normalize(self.model.get_text_features(input_ids=ids.to(self.model.device)).pooler_output[0], dim=-1)


def load_dual_encoder(source: str | Path, device: str) -> DualEncoder:
    """Load a folder or Hub repository; raises ModelError for a model that is neither CLIPModel nor SiglipModel."""
    advice = f"Name a repository of a {' or '.join(KNOWN.values())} with its processor."
    try:
        config = AutoConfig.from_pretrained(str(source))
        if config.model_type not in KNOWN:
            raise ModelError(f"clip model {source}: is of type {config.model_type!r}. {advice}")
        if not getattr(config.vision_config, "vision_use_head", True):
            raise ModelError(f"clip model {source}: has no pooling head to read patches with. {advice}")
        model, info = AutoModel.from_pretrained(str(source), output_loading_info=True)
        # torchvision, which the default backend needs, is no dependency of clincot.
        images = AutoImageProcessor.from_pretrained(str(source), backend="pil")
        tokenizer = _tokenizer(str(source))
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ModelError(f"clip model {source}: cannot be loaded ({' '.join(str(error).split())}). {advice}") from error
    if info["missing_keys"]:
        raise ModelError(f"clip model {source}: lacks weights, first {min(info['missing_keys'])!r}. {advice}")
    return DualEncoder(model.to(device), images, tokenizer)


def _tokenizer(source: str) -> Any:
    try:
        return AutoTokenizer.from_pretrained(source)
    except ImportError:
        # SigLIP's own class wants sentencepiece, which clincot does not need: it only lower-cases the text and drops
        # punctuation, of which ours has none, and then does what tokenizer.json says.
        return PreTrainedTokenizerFast.from_pretrained(source)
