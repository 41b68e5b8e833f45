"""A class of vision-language models -> a tiny random model of it, saved with processor and chat template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from .families import (
    aya_vision,
    blip_2,
    blip_2_without_template,
    gemma3,
    idefics2,
    idefics3,
    internvl,
    mllama,
    paligemma,
    smolvlm,
)
from .llava import (
    llava_clip_llama,
    llava_gemma2,
    llava_mistral,
    llava_next_mistral,
    llava_onevision,
    llava_siglip_qwen2,
    vip_llava,
)
from .parts import Made, opened
from .pixtral import mistral3, pixtral
from .qwen import qwen2_5_vl, qwen2_vl, qwen3_vl

Make = Callable[[], Made]
LLAVA: tuple[Make, ...] = (llava_clip_llama, llava_siglip_qwen2, llava_mistral, llava_gemma2)
PLAIN: tuple[Make, ...] = (*LLAVA, llava_next_mistral, gemma3, idefics3, mllama, paligemma, vip_llava, idefics2)
PLAIN += (aya_vision,)
WITH_TORCHVISION: tuple[Make, ...] = (llava_onevision, smolvlm, qwen2_vl, qwen2_5_vl, qwen3_vl, internvl)
WITH_TORCHVISION += (mistral3, pixtral)
REFUSED: tuple[Make, ...] = (blip_2_without_template, blip_2)


def tiny_vlm(make: Make, folder: Path) -> Path:
    """Save a model that `make` makes, of seed 0."""
    torch.manual_seed(0)
    model, processor = make()
    opened(model).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
