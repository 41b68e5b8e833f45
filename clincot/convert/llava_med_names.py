"""The names of tensors in LLaVA-Med's layout -> those of LLaVA on a disk, which transformers and vLLM read."""

from __future__ import annotations

import re

TOWER = "vision_tower.vision_model."
TEXT = "language_model."
EMBEDDINGS, HEAD = f"{TEXT}model.embed_tokens.weight", f"{TEXT}lm_head.weight"
RULES = (
    (r"model\.vision_tower\.vision_tower\.vision_model\.(.+)", TOWER + r"\1"),
    (r"model\.mm_projector\.0\.(weight|bias)", r"multi_modal_projector.linear_1.\1"),
    (r"model\.mm_projector\.2\.(weight|bias)", r"multi_modal_projector.linear_2.\1"),
    (r"(model\.(?:embed_tokens|layers|norm)\..+|lm_head\..+)", TEXT + r"\1"),
)
# Buffers that transformers computes, and what only images in tiles use.
DROPPED = re.compile(r".*\.(inv_freq|position_ids)|model\.image_newline")
IN_MEMORY = (  # names of transformers' LLaVA in memory, and on a disk
    ("model.language_model.", f"{TEXT}model."),
    ("lm_head.", f"{TEXT}lm_head."),
    ("model.vision_tower.", TOWER),
    ("model.multi_modal_projector.", "multi_modal_projector."),
)


def renamed(name: str) -> str | None:
    """Return the new name of LLaVA-Med's tensor `name`; None for one that no rule knows."""
    for pattern, new in RULES:
        if match := re.fullmatch(pattern, name):
            return match.expand(new)
    return None


def on_disk(name: str) -> str:
    """Return the name on a disk of the tensor that transformers calls `name` in memory."""
    for memory, disk in IN_MEMORY:
        if name.startswith(memory):
            return disk + name.removeprefix(memory)
    return name
