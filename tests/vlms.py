"""A class of vision-language models -> a tiny random model of it, saved with processor and chat template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from tests.tiny import TEMPLATE, tiny_tokenizer

SQUARE = {"height": 32, "width": 32}
TOWER = {
    "image_size": 32,
    "patch_size": 8,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
}
TEXT = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
Made = tuple[Any, Any]


def tokens(*more: str, **named: str) -> Any:
    """The tiny tokenizer with `more` special tokens, `named` ones being attributes too."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens([*more, *named.values()], special_tokens=True)
    ends = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    fast = {"tokenizer_object": tokenizer.backend_tokenizer, "extra_special_tokens": named, "chat_template": TEMPLATE}
    return hf.PreTrainedTokenizerFast(**ends, **fast)


def llava_siglip_qwen2() -> Made:
    tokenizer = tokens()
    image = tokenizer.convert_tokens_to_ids("<image>")
    text = TEXT | {"model_type": "qwen2", "vocab_size": len(tokenizer)}
    tower = TOWER | {"model_type": "siglip_vision_model"}
    config = hf.LlavaConfig(
        vision_config=tower, text_config=text, image_token_id=image, vision_feature_select_strategy="full"
    )
    numbers = {"patch_size": 8, "vision_feature_select_strategy": "full", "num_additional_image_tokens": 0}
    return hf.LlavaForConditionalGeneration(config), hf.LlavaProcessor(
        SiglipImageProcessorPil(size=SQUARE), tokenizer, chat_template=TEMPLATE, **numbers
    )


def llava_next_mistral() -> Made:
    tokenizer, points = tokens(), [[32, 64], [64, 32]]
    image = tokenizer.convert_tokens_to_ids("<image>")
    text = TEXT | {"model_type": "mistral", "vocab_size": len(tokenizer)}
    tower = TOWER | {"model_type": "clip_vision_model"}
    config = hf.LlavaNextConfig(
        vision_config=tower, text_config=text, image_token_id=image, image_grid_pinpoints=points
    )
    reader = LlavaNextImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE, image_grid_pinpoints=points)
    numbers = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return hf.LlavaNextForConditionalGeneration(config), hf.LlavaNextProcessor(
        reader, tokenizer, chat_template=TEMPLATE, **numbers
    )


def gemma3() -> Made:
    tokenizer = tokens(image_token="<image_soft_token>", boi_token="<start_of_image>", eoi_token="<end_of_image>")
    named = ("image_token", "boi_token", "eoi_token")
    image, begin, end = tokenizer.convert_tokens_to_ids([getattr(tokenizer, name) for name in named])
    text = TEXT | {"vocab_size": len(tokenizer), "head_dim": 16, "sliding_window": 512}
    ids = {"image_token_id": image, "boi_token_index": begin, "eoi_token_index": end}
    config = hf.Gemma3Config(text_config=text, vision_config=TOWER, mm_tokens_per_image=4, **ids)
    template = TEMPLATE.replace("<image>", "<start_of_image>")
    return hf.Gemma3ForConditionalGeneration(config), hf.Gemma3Processor(
        Gemma3ImageProcessorPil(size=SQUARE), tokenizer, image_seq_length=4, chat_template=template
    )


def idefics3() -> Made:
    rows = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    tokenizer = tokens("<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *rows)
    image = tokenizer.convert_tokens_to_ids("<image>")
    text = TEXT | {"model_type": "llama", "vocab_size": len(tokenizer)}
    config = hf.Idefics3Config(text_config=text, vision_config=TOWER, image_token_id=image, scale_factor=2)
    reader = Idefics3ImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    return hf.Idefics3ForConditionalGeneration(config), hf.Idefics3Processor(
        reader, tokenizer, image_seq_len=4, chat_template=TEMPLATE
    )


def qwen2_vl() -> Made:
    """Needs torchvision."""
    tokenizer = tokens("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    named = ("image", "video")
    ids = {f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<|{name}_pad|>") for name in named}
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
    text = TEXT | {"vocab_size": len(tokenizer), "rope_parameters": rope}
    tower = {"depth": 2, "embed_dim": 32, "num_heads": 2, "hidden_size": 64, "patch_size": 8, "mlp_ratio": 2}
    config = hf.Qwen2VLConfig(text_config=text, vision_config=tower, **ids)
    reader = Qwen2VLImageProcessorPil(patch_size=8, min_pixels=32 * 32, max_pixels=64 * 64)
    template = TEMPLATE.replace("<image>", "<|vision_start|><|image_pad|><|vision_end|>")
    return hf.Qwen2VLForConditionalGeneration(config), hf.Qwen2VLProcessor(
        reader, tokenizer, hf.Qwen2VLVideoProcessor(patch_size=8), chat_template=template
    )


def llava_onevision() -> Made:
    """Needs torchvision. Two images take fewer tokens than one, which is cut into tiles."""
    tokenizer, points = tokens("<video>"), [[32, 32], [32, 64], [64, 64]]
    ids = {f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<{name}>") for name in ("image", "video")}
    text = TEXT | {"model_type": "qwen2", "vocab_size": len(tokenizer)}
    tower = TOWER | {"model_type": "siglip_vision_model"}
    config = hf.LlavaOnevisionConfig(vision_config=tower, text_config=text, image_grid_pinpoints=points, **ids)
    reader = LlavaOnevisionImageProcessorPil(size=SQUARE, image_grid_pinpoints=points)
    video = hf.LlavaOnevisionVideoProcessor(size=SQUARE)
    numbers = {"num_image_tokens": 16, "vision_feature_select_strategy": "full"}
    return hf.LlavaOnevisionForConditionalGeneration(config), hf.LlavaOnevisionProcessor(
        reader, tokenizer, video, chat_template=TEMPLATE, **numbers
    )


PLAIN: tuple[Callable[[], Made], ...] = (llava_siglip_qwen2, llava_next_mistral, gemma3, idefics3)
WITH_TORCHVISION: tuple[Callable[[], Made], ...] = (qwen2_vl, llava_onevision)


def tiny_vlm(make: Callable[[], Made], folder: Path) -> Path:
    """Save a model that `make` makes, of seed 0."""
    torch.manual_seed(0)
    for part in make():
        part.save_pretrained(folder)
    return folder
