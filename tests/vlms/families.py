"""Tiny models of single families: Gemma 3, Idefics, SmolVLM, InternVL, Mllama, PaliGemma, Aya Vision and BLIP-2."""

from __future__ import annotations

from typing import Any

import transformers as hf
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.idefics2.image_processing_pil_idefics2 import Idefics2ImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.mllama.image_processing_pil_mllama import MllamaImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from tests.tiny import TEMPLATE

from .parts import SIGLIP, SQUARE, TEXT, TOWER, Made, template, text_of, tokens

TILES = tuple(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7))
IDEFICS = ("<fake_token_around_image>", "<global-img>", "<end_of_utterance>")


def gemma3() -> Made:
    tokenizer = tokens(image_token="<image_soft_token>", boi_token="<start_of_image>", eoi_token="<end_of_image>")
    named = ("image_token", "boi_token", "eoi_token")
    image, begin, end = tokenizer.convert_tokens_to_ids([getattr(tokenizer, name) for name in named])
    text = text_of("gemma3_text", tokenizer, head_dim=16, sliding_window=512)
    ids = {"image_token_id": image, "boi_token_index": begin, "eoi_token_index": end}
    config = hf.Gemma3Config(text_config=text, vision_config=TOWER, mm_tokens_per_image=4, **ids)
    reader = Gemma3ImageProcessorPil(size=SQUARE)
    return hf.Gemma3ForConditionalGeneration(config), hf.Gemma3Processor(
        reader, tokenizer, image_seq_length=4, chat_template=template("<start_of_image>")
    )


def idefics2() -> Made:
    tokenizer = tokens(image_token="<image>", image_boundary_token="<fake_token_around_image>")
    tokenizer.add_tokens(["<end_of_utterance>"], special_tokens=True)
    sizes = {"resampler_n_latents": 4, "resampler_depth": 1, "resampler_n_heads": 2, "resampler_head_dim": 16}
    config = hf.Idefics2Config(
        text_config=text_of("mistral", tokenizer, sliding_window=None),
        vision_config=TOWER,
        perceiver_config=sizes | {"hidden_size": TEXT["hidden_size"], "num_key_value_heads": 2},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
    )
    reader = Idefics2ImageProcessorPil(size={"shortest_edge": 24, "longest_edge": 32})
    return hf.Idefics2ForConditionalGeneration(config), hf.Idefics2Processor(
        reader, tokenizer, image_seq_len=4, chat_template=TEMPLATE
    )


def idefics3() -> Made:
    tokenizer = tokens(*IDEFICS, *TILES)
    image = tokenizer.convert_tokens_to_ids("<image>")
    text = text_of("llama", tokenizer)
    config = hf.Idefics3Config(text_config=text, vision_config=TOWER, image_token_id=image, scale_factor=2)
    reader = Idefics3ImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    return hf.Idefics3ForConditionalGeneration(config), hf.Idefics3Processor(
        reader, tokenizer, image_seq_len=4, chat_template=TEMPLATE
    )


def smolvlm() -> Made:
    """Needs torchvision and num2words."""
    tokenizer = tokens(*IDEFICS, *TILES, "<video>")
    image = tokenizer.convert_tokens_to_ids("<image>")
    text = text_of("llama", tokenizer)
    config = hf.SmolVLMConfig(text_config=text, vision_config=TOWER, image_token_id=image, scale_factor=2)
    sizes = {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}}
    reader, video = SmolVLMImageProcessorPil(**sizes), hf.SmolVLMVideoProcessor(**sizes)
    return hf.SmolVLMForConditionalGeneration(config), hf.SmolVLMProcessor(
        reader, tokenizer, video, image_seq_len=4, chat_template=TEMPLATE
    )


def internvl() -> Made:
    """Needs torchvision."""
    named = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"}
    tokenizer = tokens(**named, video_token="<video>")
    tower = TOWER | {"image_size": [32, 32], "patch_size": [8, 8]}
    config = hf.InternVLConfig(
        vision_config=tower,
        text_config=text_of("qwen2", tokenizer),
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        tie_word_embeddings=False,
    )
    reader = GotOcr2ImageProcessorPil(size=SQUARE, crop_to_patches=True, min_patches=1, max_patches=2)
    return hf.InternVLForConditionalGeneration(config), hf.InternVLProcessor(
        reader,
        tokenizer,
        hf.InternVLVideoProcessor(size=SQUARE),
        image_seq_length=4,
        chat_template=template("<IMG_CONTEXT>"),
    )


def mllama() -> Made:
    """The image token has an embedding and no logit, as in Llama 3.2."""
    tokenizer = tokens("<|python_tag|>", "<|image|>")
    tower = TOWER | {"num_hidden_layers": 2, "num_global_layers": 1, "attention_heads": 2, "vision_output_dim": 96}
    del tower["num_attention_heads"]
    tower |= {"intermediate_layers_indices": [0, 1], "max_num_tiles": 2}
    tower |= {"supported_aspect_ratios": [[1, 1], [1, 2], [2, 1]]}
    text = text_of("mllama_text_model", tokenizer, num_hidden_layers=3, cross_attention_layers=[1])
    text["vocab_size"] -= 1
    config = hf.MllamaConfig(vision_config=tower, text_config=text, image_token_index=text["vocab_size"])
    reader = MllamaImageProcessorPil(size=SQUARE, max_image_tiles=2)
    return hf.MllamaForConditionalGeneration(config), hf.MllamaProcessor(
        reader, tokenizer, chat_template=template("<|image|>")
    )


def paligemma() -> Made:
    """The published processors have no chat template; one is added, as a user would."""
    tokenizer = tokens(image_token="<image>")
    reader: Any = SiglipImageProcessorPil(size=SQUARE, image_seq_length=16)
    processor = hf.PaliGemmaProcessor(reader, tokenizer, chat_template=TEMPLATE)  # adds tokens to the tokenizer
    config = hf.PaliGemmaConfig(
        vision_config=SIGLIP | {"projection_dim": TEXT["hidden_size"], "vision_use_head": False},
        text_config=text_of("gemma", tokenizer, head_dim=16, num_key_value_heads=1),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vocab_size=len(tokenizer),
        projection_dim=TEXT["hidden_size"],
        hidden_size=TEXT["hidden_size"],
    )
    return hf.PaliGemmaForConditionalGeneration(config), processor


def aya_vision() -> Made:
    """Its template writes one token for an image, its processor another one for each patch."""
    named = ("<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "<|IMG_LINE_BREAK|>")
    tokenizer = tokens(*named, "TILE", "TILE_GLOBAL", *(f"TILE_{n}" for n in range(1, 5)))
    config = hf.AyaVisionConfig(
        vision_config=SIGLIP,
        text_config=text_of("cohere2", tokenizer, sliding_window=512),
        image_token_index=tokenizer.convert_tokens_to_ids("<|IMG_PATCH|>"),
    )
    reader = GotOcr2ImageProcessorPil(size=SQUARE, crop_to_patches=True, min_patches=1, max_patches=2)
    numbers = {"patch_size": 8, "img_size": 32, "downsample_factor": 2}
    return hf.AyaVisionForConditionalGeneration(config), hf.AyaVisionProcessor(
        reader, tokenizer, chat_template=TEMPLATE, **numbers
    )


def blip_2_without_template() -> Made:
    """As published."""
    model, processor = blip_2()
    processor.tokenizer.chat_template = None
    return model, processor


def blip_2() -> Made:
    """With a chat template, its processor writes its own image tokens in addition to the template's."""
    tokenizer = tokens()
    q_former = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = hf.Blip2Config(
        vision_config=TOWER,
        qformer_config=q_former | {"encoder_hidden_size": 32, "vocab_size": len(tokenizer)},
        text_config={"model_type": "opt", "vocab_size": len(tokenizer), "hidden_size": 64, "ffn_dim": 128}
        | {"num_hidden_layers": 2, "num_attention_heads": 4, "word_embed_proj_dim": 64},
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    reader = BlipImageProcessorPil(size=SQUARE)
    return hf.Blip2ForConditionalGeneration(config), hf.Blip2Processor(reader, tokenizer, num_query_tokens=4)
