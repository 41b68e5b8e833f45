"""Widths and layers -> a LLaVA and a judge of random weights in float32, whose weights outweigh the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerFast,
)

from perf.scaled_policy import llava_processor
from tests.tiny import TEMPLATE, tiny_tokenizer

PIXELS, PATCH = 48, 8
IDS = ("pad_token_id", "bos_token_id", "eos_token_id")


@dataclass(frozen=True)
class Size:
    """Width and layers of a language model; its tower has a quarter of the width and two layers."""

    width: int
    layers: int
    vocabulary: int = 2000


SIZES = {"50 MB": Size(512, 4), "200 MB": Size(768, 6), "600 MB": Size(1024, 11)}


def sized_policy(folder: Path, size: Size, seed: int = 0) -> Path:
    """Save a LLaVA whose images are 36 tokens to `folder`."""
    torch.manual_seed(seed)
    words = tiny_tokenizer()
    tower = CLIPVisionConfig(
        image_size=PIXELS,
        patch_size=PATCH,
        hidden_size=size.width // 4,
        intermediate_size=size.width,
        num_hidden_layers=2,
        num_attention_heads=4,
    )
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=tower,
            text_config=_text(size, words),
            image_token_id=words.convert_tokens_to_ids("<image>"),
            image_seq_length=(PIXELS // PATCH) ** 2,
            tie_word_embeddings=False,
        )
    )
    _named(model, words)
    processor = llava_processor(words, PIXELS, PATCH, TEMPLATE)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def sized_judge(folder: Path, size: Size, seed: int = 1) -> Path:
    """Save a Llama to `folder`, which rates texts by chance."""
    torch.manual_seed(seed)
    words = tiny_tokenizer()
    model = LlamaForCausalLM(_text(size, words))
    _named(model, words)
    # Digits hold most of the mass, so that no rating fails.
    model.lm_head.weight.data[words.convert_tokens_to_ids(list("0123456789"))] *= 40
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def _text(size: Size, words: PreTrainedTokenizerFast) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        intermediate_size=size.width * 7 // 2,  # as Mistral, and so are its 4 query heads per key head
        num_hidden_layers=size.layers,
        num_attention_heads=8,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        tie_word_embeddings=False,
        **{name: getattr(words, name) for name in IDS},
    )


def _named(model: object, words: PreTrainedTokenizerFast) -> None:
    for name in IDS:
        setattr(model.generation_config, name, getattr(words, name))  # type: ignore[attr-defined]
