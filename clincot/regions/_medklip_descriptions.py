"""The authors' descriptions of 75 entities and a text encoder -> the table of their embeddings, one row per entity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

from clincot.errors import DataError, ModelError
from clincot.regions._medklip_model import ENTITIES

TOKENS = 64
BERT = "emilyalsentzer/Bio_ClinicalBERT"
MISSPELT = {"eumonia": "pneumonia"}  # key 20 of the authors' file; they read values by order, so do we


def read_descriptions(path: Path) -> tuple[str, ...]:
    """Return the 75 texts in the file's order, checked against `ENTITIES`; raises DataError where they differ."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file. Name MedKLIP's 'observation explanation.json'.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error}). Name 'observation explanation.json'.") from error
    if not isinstance(content, dict) or len(content) != len(ENTITIES):
        held = f"{len(content)} entries" if isinstance(content, dict | list) else type(content).__name__
        raise DataError(f"{path}: holds {held}, not {len(ENTITIES)} names with descriptions. Take the authors' file.")
    for place, (name, entity) in enumerate(zip(content, ENTITIES, strict=True)):
        if MISSPELT.get(name, name) != entity:
            raise DataError(f"{path}: entry {place} is {name!r}, not {entity!r}. Keep the authors' order.")
        if not isinstance(content[name], str) or not content[name].strip():
            raise DataError(f"{path}: the description of {name!r} is no text. Take the authors' file.")
    return tuple(content.values())


@torch.no_grad()
def embed(texts: tuple[str, ...], encoder: Path, name: str, width: int) -> Tensor:
    """Return the encoder's first-token states, float32 (texts, width); raises ModelError for an unfit encoder."""
    try:
        model, info = AutoModel.from_pretrained(encoder, output_loading_info=True, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(encoder)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"text encoder {name}: cannot be loaded ({error}). The authors used {BERT}.") from error
    width_found = getattr(model.config, "hidden_size", None)
    missing = sorted(key for key in info["missing_keys"] if not key.startswith("pooler."))
    if missing:
        raise ModelError(f"text encoder {name}: lacks weights, first {missing[0]!r}. The authors used {BERT}.")
    if width_found != width or tokenizer.cls_token_id is None:
        raise ModelError(
            f"text encoder {name}: has width {width_found} and start token {tokenizer.cls_token!r}; needed are "
            f"{width} and a [CLS]. The authors used {BERT}."
        )
    return torch.cat([model.eval()(_ids(tokenizer, text)).last_hidden_state[:, 0] for text in texts])


def _ids(tokenizer: Any, text: str) -> Tensor:
    # The authors' own tokenizer class puts [CLS] before a text and no [SEP] after it; 64 counts the [CLS].
    pieces = tokenizer(text, add_special_tokens=False)["input_ids"]
    return torch.tensor([[tokenizer.cls_token_id, *pieces][:TOKENS]])
