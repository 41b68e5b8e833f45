"""A seed -> random files in the layout of MedKLIP's authors: checkpoint, descriptions, and a text encoder of width 768.

The names and shapes are written down here from torchvision's ResNet-50 and DETR's decoder, not taken from clincot.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor
from transformers import BertConfig, BertModel

LISTED = (
    "normal, clear, sharp, sharply, unremarkable, intact, stable, free, effusion, opacity, pneumothorax, edema, "
    "atelectasis, tube, consolidation, process, abnormality, enlarge, tip, low, eumonia, line, congestion, catheter, "
    "cardiomegaly, fracture, air, tortuous, lead, disease, calcification, prominence, device, engorgement, picc, clip, "
    "elevation, expand, nodule, wire, fluid, degenerative, pacemaker, thicken, marking, scar, hyperinflate, blunt, "
    "loss, widen, collapse, density, emphysema, aerate, mass, crowd, infiltrate, obscure, deformity, hernia, drainage, "
    "distention, shift, stent, pressure, lesion, finding, borderline, hardware, dilation, chf, redistribution, "
    "aspiration, tail_abnorm_obs, excluded_obs"
)
NAMES = LISTED.split(", ")
BLOCKS = ((4, 64, 3), (5, 128, 4), (6, 256, 6))  # child of the Sequential, width of its 3 x 3 convolutions, depth


def shapes() -> dict[str, tuple[int, ...]]:
    """Return every weight of the authors' zero-shot model, by the name it has without `module.`."""
    found: dict[str, tuple[int, ...]] = {"res_features.0.weight": (64, 3, 7, 7)} | _norm("res_features.1", 64)
    before = 64
    for child, width, depth in BLOCKS:
        for layer in range(depth):
            name, wide = f"res_features.{child}.{layer}", 4 * width
            sizes = ((width, before, 1, 1), (width, width, 3, 3), (wide, width, 1, 1))
            for number, size in enumerate(sizes, 1):
                found |= {f"{name}.conv{number}.weight": size} | _norm(f"{name}.bn{number}", size[0])
            if layer == 0:
                found |= {f"{name}.downsample.0.weight": (wide, before, 1, 1)} | _norm(f"{name}.downsample.1", wide)
            before = wide
    for name, out, into in (("res_l1", 1024, 1024), ("res_l2", 256, 1024), ("disease_embedding_layer", 256, 768)):
        found |= _linear(name, out, into)
    found |= _linear("cl_fc", 768, 256) | _linear("classifier", 2, 256)
    for layer in range(4):
        name = f"decoder.layers.{layer}"
        for attention in ("self_attn", "multihead_attn"):
            found |= {f"{name}.{attention}.in_proj_weight": (768, 256), f"{name}.{attention}.in_proj_bias": (768,)}
            found |= _linear(f"{name}.{attention}.out_proj", 256, 256)
        found |= _linear(f"{name}.linear1", 1024, 256) | _linear(f"{name}.linear2", 256, 1024)
        for number in (1, 2, 3):
            found |= {f"{name}.norm{number}.weight": (256,), f"{name}.norm{number}.bias": (256,)}
    return found | {"decoder.norm.weight": (256,), "decoder.norm.bias": (256,)}


def random_state(seed: int = 0) -> dict[str, Tensor]:
    """Return random weights under these names of a size that gives maps with peaks, yet no overflow."""
    generator = torch.Generator().manual_seed(seed)
    return {name: _value(name, shape, generator) for name, shape in shapes().items()}


def write_checkpoint(path: Path, state: dict[str, Tensor]) -> Path:
    """Save as the authors' training does: under `model`, with DataParallel's prefix, beside other states."""
    torch.save({"model": {f"module.{name}": value for name, value in state.items()}, "epoch": 37}, path)
    return path


def write_descriptions(path: Path) -> Path:
    """Write 75 made-up descriptions in the authors' order; the second is longer than 64 tokens."""
    texts = {name: f"{name.replace('_', ' ')} is seen in the lung number {i}" for i, name in enumerate(NAMES)}
    texts["clear"] = "clear lung " * 60
    path.write_text(json.dumps(texts))
    return path


def write_encoder(folder: Path, width: int = 768) -> Path:
    """Write a BERT of one layer as a folder that holds, like Bio_ClinicalBERT, a vocabulary and no tokenizer.json."""
    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "is", "seen", "in", "the", "lung", "number", "##s", "##ly"]
    words += sorted({part for name in NAMES for part in name.split("_")}) + [str(i) for i in range(75)]
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=width,
        num_hidden_layers=1,
        num_attention_heads=12,
        intermediate_size=64,
        initializer_range=0.2,  # so that texts differ
    )
    BertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    return folder


def _linear(name: str, out: int, into: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    values = {f"{name}.{value}": (width,) for value in ("weight", "bias", "running_mean", "running_var")}
    return values | {f"{name}.num_batches_tracked": ()}


def _value(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.tensor(7)
    drawn = torch.randn(shape, generator=generator)
    if name.endswith("bn3.weight"):
        return 0.2 + 0.02 * drawn.abs()  # keeps 13 residual blocks from growing without bound
    if name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
        return 1.0 + 0.1 * drawn.abs()
    if len(shape) == 1:
        return 0.1 * drawn
    gain = 1.4 if name.startswith("res_features") else 2.0 if "multihead_attn.in_proj" in name else 0.8
    return drawn * gain / torch.tensor(shape[1:]).prod().sqrt()
