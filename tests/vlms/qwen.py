"""Tiny models of Qwen's vision-language classes, whose positions have three dimensions; they need torchvision."""

from __future__ import annotations

from typing import Any

import transformers as hf
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from .parts import TEXT, Made, template, text_of, tokens

ROPE = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
HEADS = {"depth": 2, "num_heads": 2, "patch_size": 8}


def _ids(tokenizer: Any) -> dict[str, int]:
    named = {"image_token_id": "image_pad", "video_token_id": "video_pad"}
    named |= {f"vision_{name}_token_id": f"vision_{name}" for name in ("start", "end")}
    return {name: tokenizer.convert_tokens_to_ids(f"<|{token}|>") for name, token in named.items()}


def _parts(kind: str, model: Any, tower: dict[str, Any], video: Any, **text: Any) -> Made:
    tokenizer = tokens("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    written = text_of(kind, tokenizer, rope_parameters=ROPE, **text)
    del written["model_type"]
    config = getattr(hf, f"{model}Config")(text_config=written, vision_config=HEADS | tower, **_ids(tokenizer))
    reader = Qwen2VLImageProcessorPil(patch_size=8, min_pixels=32 * 32, max_pixels=64 * 64)
    template_ = template("<|vision_start|><|image_pad|><|vision_end|>")
    processor = getattr(hf, f"{model.replace('ForConditionalGeneration', '')}Processor")
    return getattr(hf, f"{model}ForConditionalGeneration")(config), processor(
        reader, tokenizer, video, chat_template=template_
    )


def qwen2_vl() -> Made:
    tower = {"embed_dim": 32, "hidden_size": TEXT["hidden_size"], "mlp_ratio": 2}
    return _parts("qwen2_vl_text", "Qwen2VL", tower, hf.Qwen2VLVideoProcessor(patch_size=8))


def qwen2_5_vl() -> Made:
    tower = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "out_hidden_size": TEXT["hidden_size"],
        "fullatt_block_indexes": [1],
    }
    tower |= {"window_size": 32}
    return _parts("qwen2_5_vl_text", "Qwen2_5_VL", tower, hf.Qwen2VLVideoProcessor(patch_size=8))


def qwen3_vl() -> Made:
    tower = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "out_hidden_size": TEXT["hidden_size"],
        "num_position_embeddings": 64,
    }
    tower |= {"deepstack_visual_indexes": [0]}
    video = hf.Qwen3VLVideoProcessor(patch_size=8)
    return _parts("qwen3_vl_text", "Qwen3VL", tower, video, head_dim=16)
