"""Sizes and a tokenizer -> a processor and a LLaVA of random weights: float32 on a CPU, bfloat16 on the GPU."""

from __future__ import annotations

from typing import Any

import torch
from transformers import LlavaForConditionalGeneration, LlavaProcessor
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from perf.dpo_counting import Sizes, config_of


def llava(sizes: Sizes, tokenizer: Any, image: int, tiny: bool) -> tuple[Any, Any]:
    """Return processor and model; `image` is the id of the image token."""
    width = sizes.side * sizes.patch
    processor = LlavaProcessor(
        LlavaImageProcessorPil(size={"shortest_edge": width}, crop_size={"height": width, "width": width}),
        tokenizer,
        patch_size=sizes.patch,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=tokenizer.chat_template,
    )
    ids = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("pad", "bos", "eos")}
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32 if tiny else torch.bfloat16)
    try:
        with torch.device("cpu" if tiny else "cuda"):
            base = LlavaForConditionalGeneration(config_of(sizes, image, **ids))
    finally:
        torch.set_default_dtype(before)
    return processor, base
