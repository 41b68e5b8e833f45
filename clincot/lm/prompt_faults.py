"""A processor, its model's folder and the ends of its texts -> what is wrong with its prompts; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from transformers import AutoConfig

ANSWER = "assistant answer"
NUMBERS = ("patch_size", "num_additional_image_tokens", "vision_feature_select_strategy")  # of LLaVA's processor
# Tokens that a tower has in addition to its patches: CLIP's class token.
ADDITIONAL = {"clip_vision_model": 1, "siglip_vision_model": 0}


def lacks_bos(processor: Any) -> bool:
    """Return whether the processor's tokenizer begins texts with BOS, and its chat template writes none.

    clincot tokenises rendered text without special tokens, in engine and trainer; transformers' `apply_chat_template`
    adds the tokenizer's to a text that does not begin with BOS (templates of the llava-1.5-hf shape).
    """
    tokenizer = processor.tokenizer
    if tokenizer.bos_token is None or not isinstance(processor.chat_template, str):
        return False
    if tokenizer("?")["input_ids"][:1] != [tokenizer.bos_token_id]:
        return False
    text = _rendered(processor, [_turn("user", "?", image=True)], add_generation_prompt=True)
    return not text.startswith(tokenizer.bos_token) and tokenizer.bos_token_id not in _ids(processor, text)


def after_answer(processor: Any, ends: Sequence[str]) -> tuple[str, str]:
    r"""Return the text that the template writes between an answer and its end, and that end, "" for a template without.

    bakLlava's published template has a literal `<\s>` there, which would be trained as a part of every answer.
    """
    turns = [_turn("user", "?"), _turn("assistant", ANSWER)]
    rest = _rendered(processor, turns).rpartition(ANSWER)[2]
    found = [(at, end) for end in ends if (at := rest.find(end)) >= 0]
    at, end = min(found, default=(len(rest), ""))
    return rest[:at].strip(), end


def lacking_numbers(processor: Any, base: Path) -> dict[str, Any]:
    """Return what a LLaVA's processor does not say -> what the model's config says (None: nothing that is known).

    Without `num_additional_image_tokens` a processor counts one image token too few for a CLIP tower: a build that
    shares trunks does not notice, and training ends with an error.
    """
    if not hasattr(processor, "num_additional_image_tokens"):
        return {}
    path = base / "processor_config.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    config = AutoConfig.from_pretrained(base)
    vision = getattr(config, "vision_config", None)
    known = (
        getattr(vision, "patch_size", None),
        ADDITIONAL.get(getattr(vision, "model_type", "")),
        getattr(config, "vision_feature_select_strategy", None),
    )
    return {name: value for name, value in zip(NUMBERS, known, strict=True) if stored.get(name) is None}


def _ids(processor: Any, text: str) -> list[int]:
    # By the processor: some write BOS themselves, between image tokens and text.
    image = Image.new("RGB", (64, 64))
    read = processor(images=[[image]], text=[text], add_special_tokens=False)
    return list(read["input_ids"][0])


def _turn(role: str, text: str, *, image: bool = False) -> dict[str, Any]:
    block = {"type": "text", "text": text}
    return {"role": role, "content": [{"type": "image"}, block] if image else [block]}


def _rendered(processor: Any, turns: list[dict[str, Any]], **options: Any) -> str:
    text: str = processor.apply_chat_template(turns, tokenize=False, **options)
    return text
