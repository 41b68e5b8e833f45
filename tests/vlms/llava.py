"""Tiny models of LLaVA's kin: a tower, a projector and a text model of another class."""

from __future__ import annotations

from typing import Any

import transformers as hf
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from tests.tiny import TEMPLATE

from .parts import CLIP, SIGLIP, SQUARE, Made, text_of, tokens

OF_CLIP = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
OF_SIGLIP = {"patch_size": 8, "vision_feature_select_strategy": "full", "num_additional_image_tokens": 0}


def _llava(tower: dict[str, Any], numbers: dict[str, Any], reader: Any, kind: str, **text: Any) -> Made:
    tokenizer = tokens()
    config = hf.LlavaConfig(
        vision_config=tower,
        text_config=text_of(kind, tokenizer, **text),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_select_strategy=numbers["vision_feature_select_strategy"],
    )
    processor = hf.LlavaProcessor(reader, tokenizer, chat_template=TEMPLATE, **numbers)
    return hf.LlavaForConditionalGeneration(config), processor


def _clip_reader() -> Any:
    return LlavaImageProcessorPil(do_pad=True, size={"shortest_edge": 32}, crop_size=SQUARE)


def llava_clip_llama() -> Made:
    return _llava(CLIP, OF_CLIP, _clip_reader(), "llama")


def llava_siglip_qwen2() -> Made:
    return _llava(SIGLIP, OF_SIGLIP, SiglipImageProcessorPil(size=SQUARE), "qwen2")


def llava_mistral() -> Made:
    return _llava(CLIP, OF_CLIP, _clip_reader(), "mistral", sliding_window=None)


def llava_gemma2() -> Made:
    return _llava(SIGLIP, OF_SIGLIP, SiglipImageProcessorPil(size=SQUARE), "gemma2", head_dim=16, sliding_window=512)


def vip_llava() -> Made:
    tokenizer = tokens()
    config = hf.VipLlavaConfig(
        vision_config=CLIP,
        text_config=text_of("llama", tokenizer),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=[-2, -3],
        image_seq_length=16,
    )
    reader = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE)
    processor = hf.LlavaProcessor(reader, tokenizer, chat_template=TEMPLATE, **OF_CLIP)
    return hf.VipLlavaForConditionalGeneration(config), processor


def llava_next_mistral() -> Made:
    tokenizer, points = tokens(), [[32, 64], [64, 32]]
    config = hf.LlavaNextConfig(
        vision_config=CLIP,
        text_config=text_of("mistral", tokenizer),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=points,
    )
    reader = LlavaNextImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE, image_grid_pinpoints=points)
    processor = hf.LlavaNextProcessor(reader, tokenizer, chat_template=TEMPLATE, **OF_CLIP)
    return hf.LlavaNextForConditionalGeneration(config), processor


def llava_onevision() -> Made:
    """Needs torchvision. Two images take fewer tokens than one, which is cut into tiles."""
    tokenizer, points = tokens("<video>"), [[32, 32], [32, 64], [64, 64]]
    ids = {f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<{name}>") for name in ("image", "video")}
    text = text_of("qwen2", tokenizer)
    config = hf.LlavaOnevisionConfig(vision_config=SIGLIP, text_config=text, image_grid_pinpoints=points, **ids)
    reader = LlavaOnevisionImageProcessorPil(size=SQUARE, image_grid_pinpoints=points)
    video = hf.LlavaOnevisionVideoProcessor(size=SQUARE)
    numbers = {"num_image_tokens": 16, "vision_feature_select_strategy": "full"}
    processor = hf.LlavaOnevisionProcessor(reader, tokenizer, video, chat_template=TEMPLATE, **numbers)
    return hf.LlavaOnevisionForConditionalGeneration(config), processor
