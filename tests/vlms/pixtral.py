"""Tiny models with Pixtral's tower, which reads images of any size; they need torchvision."""

from __future__ import annotations

from typing import Any

import transformers as hf
from transformers.models.pixtral.image_processing_pil_pixtral import PixtralImageProcessorPil

from .parts import TOWER, Made, template, text_of, tokens

PIXTRAL = TOWER | {"model_type": "pixtral", "head_dim": 16, "image_size": 64}
EDGE = {"longest_edge": 64}


def _tokens() -> Any:
    return tokens("[IMG]", "[IMG_BREAK]", "[IMG_END]")


def _processor(tokenizer: Any, merge: int) -> Any:
    reader = PixtralImageProcessorPil(size=EDGE, patch_size=8 * merge)
    numbers = {"patch_size": 8, "spatial_merge_size": merge}
    return hf.PixtralProcessor(reader, tokenizer, chat_template=template("[IMG]"), **numbers)


def pixtral() -> Made:
    tokenizer = _tokens()
    config = hf.LlavaConfig(
        vision_config=PIXTRAL,
        text_config=text_of("mistral", tokenizer, head_dim=16, sliding_window=None),
        image_token_id=tokenizer.convert_tokens_to_ids("[IMG]"),
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
    )
    return hf.LlavaForConditionalGeneration(config), _processor(tokenizer, 1)


def mistral3() -> Made:
    tokenizer = _tokens()
    config = hf.Mistral3Config(
        vision_config=PIXTRAL,
        text_config=text_of("mistral", tokenizer, head_dim=16, sliding_window=None),
        image_token_index=tokenizer.convert_tokens_to_ids("[IMG]"),
        spatial_merge_size=2,
        tie_word_embeddings=False,
    )
    return hf.Mistral3ForConditionalGeneration(config), _processor(tokenizer, 2)
