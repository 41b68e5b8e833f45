"""A loaded policy and how many images a prompt will hold -> nothing, or an error before any work is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from PIL import Image

from clincot.engines._policy import Policy
from clincot.errors import ModelError
from clincot.records.lineage import shown

MISFITS = (ValueError, TypeError, LookupError, RuntimeError, AssertionError, jinja2.TemplateError)


def refuse_few_images(policy: Policy, name: str | Path, images: int) -> None:
    """Raise ModelError unless template and processor give every one of `images` images its own tokens.

    Some templates keep the first image, some refuse the second, some processors take no more than one per text.
    """
    try:
        one, many = image_tokens(policy, 1), image_tokens(policy, images)
    except MISFITS as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelError(_message(name, images, reason)) from error
    if one == 0 or many != images * one:
        raise ModelError(_message(name, images, f"{one} image tokens for one, {many} for {images}"))


def image_tokens(policy: Any, images: int) -> int:
    """Return how many tokens `images` small images take in a prompt; of a policy or what else reads as it does."""
    blocks = [*({"type": "image"} for _ in range(images)), {"type": "text", "text": "?"}]
    messages = [{"role": "user", "content": blocks}]
    text = policy.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    if text.count(policy.image_token) != images:
        return text.count(policy.image_token)
    image = Image.new("RGB", (64, 64))
    inputs = policy.processor(images=[[image] * images], text=[text], return_tensors="pt", add_special_tokens=False)
    image_id = policy.tokenizer.convert_tokens_to_ids(policy.image_token)
    return int((inputs["input_ids"] == image_id).sum())


def _message(name: str | Path, images: int, reason: str) -> str:
    advice = "Use --set image_layout=canvas, which puts both into one image, or name another model"
    return f"policy {shown(name)}: does not take {images} images in a prompt ({reason}). {advice}."
