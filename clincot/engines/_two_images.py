"""A loaded policy and how many images a prompt will hold -> nothing, or an error before any work is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import torch
from PIL import Image

from clincot.engines import _plain
from clincot.engines._policy import Policy
from clincot.errors import ModelError
from clincot.lm.requests import Counters
from clincot.records.lineage import shown

MISFITS = (ValueError, TypeError, LookupError, RuntimeError, AssertionError, jinja2.TemplateError)
SIZE = (64, 64)  # of an image that is shown


def refuse_few_images(policy: Policy, name: str | Path, images: int) -> None:
    """Raise ModelError unless the model takes a prompt with `images` images in one forward pass.

    Some templates keep the first image, some refuse the second, some processors take no more than one per text or
    count other image tokens than the model makes. Several images may take fewer tokens than one (LLaVA-OneVision).
    """
    try:
        text = _prompt(policy, images)
        written = text.count(policy.image_token)
        if written != images:
            raise ValueError(f"its chat template writes {written} image tokens for {images} images")
        seen = [[Image.new("RGB", SIZE)] * images]
        _plain.next_logits(policy, _plain.inputs(policy, [text], seen, Counters()))
    except torch.OutOfMemoryError:
        raise
    except MISFITS as error:
        if images > 1:
            refuse_few_images(policy, name, 1)  # a canvas helps only where one image is read
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelError(_message(name, images, reason)) from error


def image_tokens(policy: Any, images: int) -> int:
    """Return how many tokens `images` small images take in a prompt; of a policy or what else reads as it does."""
    text = _prompt(policy, images)
    if text.count(policy.image_token) != images:
        return text.count(policy.image_token)
    image = Image.new("RGB", SIZE)
    inputs = policy.processor(images=[[image] * images], text=[text], return_tensors="pt", add_special_tokens=False)
    image_id = policy.tokenizer.convert_tokens_to_ids(policy.image_token)
    return int((inputs["input_ids"] == image_id).sum())


def _prompt(policy: Any, images: int) -> str:
    blocks = [*({"type": "image"} for _ in range(images)), {"type": "text", "text": "?"}]
    messages = [{"role": "user", "content": blocks}]
    text: str = policy.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    return text


def _message(name: str | Path, images: int, reason: str) -> str:
    if images == 1:
        return (
            f"policy {shown(name)}: does not read an image in a prompt ({reason}). Compare its processor_config.json"
            " and chat template with those of its publisher, or name another model."
        )
    advice = "Use --set image_layout=canvas, which puts both into one image, or name another model"
    return f"policy {shown(name)}: does not take {images} images in a prompt ({reason}). {advice}."
