"""A checkpoint of LLaVA-Med and a tokenizer -> every tensor to write, with its new name, found before any work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import CLIPVisionConfig, LlavaConfig, PreTrainedTokenizerFast

from clincot.convert import llava_config
from clincot.convert.llava_med_names import DROPPED, EMBEDDINGS, HEAD, TOWER, renamed
from clincot.convert.mistral_prompt import ADDED, IMAGE, PAD
from clincot.convert.shards import Move
from clincot.convert.stored import Stored, read_json, stored
from clincot.errors import ModelError
from clincot.lm.loading import shortened
from clincot.records.lineage import shown


@dataclass(frozen=True)
class Plan:
    """What will be written, the `rows` of the source's tables, whether its tower is replaced, and what is left out."""

    config: LlavaConfig
    moves: tuple[Move, ...]
    rows: int
    other_tower: bool
    dropped: tuple[str, ...]


def plan_of(
    source: Path, settings: Mapping[str, object], tokenizer: PreTrainedTokenizerFast, tower: Path | None
) -> Plan:
    """Return the plan for `source`, whose config.json holds `settings`; `tower` is a folder of another CLIP tower.

    Raises ModelError unless every tensor that the model needs is there in its shape, and no unknown one.
    """
    where = shown(source)
    found, dropped = _named(stored(source), where)
    vision = None
    if tower is not None:
        vision, others = _other_tower(tower)
        found = {name: tensor for name, tensor in found.items() if not name.startswith(TOWER)} | others
    if EMBEDDINGS not in found:
        raise ModelError(f"{where}: half a checkpoint: lacks model.embed_tokens.weight. Download the model again.")
    table = found[EMBEDDINGS]
    image, pad = (tokenizer.convert_tokens_to_ids(token) for token in (IMAGE, PAD))
    if table.shape[0] < len(tokenizer) - len(ADDED):
        raise ModelError(
            f"{where}: its tokenizer has {len(tokenizer) - len(ADDED)} tokens, its embeddings {table.shape[0]} rows."
            " Take the tokenizer of this checkpoint."
        )
    rows = -(-max(table.shape[0], len(tokenizer)) // llava_config.ROWS) * llava_config.ROWS
    if vision is None:
        shapes = {name: tensor.shape for name, tensor in found.items()}
        vision = llava_config.tower_config(settings, shapes, where)
    config = llava_config.llava_config(settings, vision, rows=rows, image=image, pad=pad, dtype=table.dtype)
    moves = tuple(
        Move(tensor, name, _dtype(name, tensor, table), rows if name in (EMBEDDINGS, HEAD) else 0)
        for name, tensor in found.items()
    )
    _refuse_unfit(moves, llava_config.needed(config), where)
    return Plan(config, moves, table.shape[0], tower is not None, dropped)


def _named(held: Mapping[str, Stored], where: str) -> tuple[dict[str, Stored], tuple[str, ...]]:
    """Return the tensors by their new names, and the names of those that are left out."""
    dropped = tuple(name for name in held if DROPPED.fullmatch(name))
    kept = {name: tensor for name, tensor in held.items() if name not in dropped}
    if unknown := sorted(name for name in kept if renamed(name) is None):
        raise ModelError(
            f"{where}: holds {shortened(unknown)}, which LLaVA-Med 1.5 does not have. Name a checkpoint in its layout."
        )
    return {str(renamed(name)): tensor for name, tensor in kept.items()}, dropped


def _other_tower(folder: Path) -> tuple[CLIPVisionConfig, dict[str, Stored]]:
    """Return the configuration and the tensors, by their new names, of the CLIP tower in `folder`."""
    if read_json(folder / "config.json").get("model_type") not in ("clip", "clip_vision_model"):
        raise ModelError(f"{folder}: is no CLIP model. Name a folder or repository of one with --tower.")
    tensors = {
        f"vision_tower.{name}": tensor
        for name, tensor in stored(folder).items()
        if name.startswith("vision_model.") and not DROPPED.fullmatch(name)
    }
    return CLIPVisionConfig.from_pretrained(folder), tensors


def _dtype(name: str, tensor: Stored, table: Stored) -> torch.dtype:
    # A stock tower is published in 32 bits; the model is of one dtype.
    return table.dtype if name.startswith(TOWER) else tensor.dtype


def _refuse_unfit(moves: tuple[Move, ...], needed: Mapping[str, tuple[int, ...]], where: str) -> None:
    shapes = {move.name: move.shape for move in moves}
    if missing := sorted(set(needed) - set(shapes)):
        raise ModelError(f"{where}: half a checkpoint: lacks {shortened(missing)}. Download the model again.")
    if other := sorted(name for name, shape in shapes.items() if needed.get(name) != shape):
        raise ModelError(
            f"{where}: {other[0]} is {shapes[other[0]]}, its configuration says {needed.get(other[0], 'none')}."
            " Take the configuration of this checkpoint."
        )
