"""A loaded policy and how many images a prompt will hold -> what it can do, found by running it, not by its name.

Two dummy prompts that begin alike are read the plain way, by the model's own processor and forward, and the shared way;
the same plain pass shows whether the model takes the images at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clincot.engines import _plain
from clincot.engines._image_inputs import ImageInputs
from clincot.engines._policy import Policy
from clincot.engines._reading import Written, read
from clincot.engines._vision import VisionFeatures, parameters
from clincot.engines.base import Abilities
from clincot.errors import ModelError
from clincot.lm.decoding import step
from clincot.lm.prefix_cache import PrefixCache, can_share, window
from clincot.lm.requests import Counters
from clincot.lm.segments import Prompt
from clincot.progress import notice
from clincot.records.lineage import shown

MISFITS = (ValueError, TypeError, LookupError, RuntimeError, AssertionError, AttributeError, jinja2.TemplateError)
SIZES = ((64, 64), (96, 56), (48, 80))  # of the images that are shown; shapes differ as those of crops do
TEXTS = ("?", "Is there more to see here?")  # lengths differ, so that one prompt is padded
TIMES = 2  # how many times the difference of batch sizes the one of sharing may be; measured: 1.0 to 1.8
CACHE = 2**30  # bytes; holds what two prompts have


@dataclass(frozen=True)
class Dummy:
    """A prompt that is shown to a model."""

    text: str
    images: tuple[Image.Image, ...]


def probe(policy: Policy, name: str | Path, images: int, *, share: bool = True) -> Abilities:
    """Return, and say, what the model can do with `images` images in a prompt; without `share`, nothing more is tried.

    Some templates keep the first image, some refuse the second, some processors take no more than one per text or
    count other image tokens than the model makes. Several images may take fewer tokens than one (LLaVA-OneVision).
    Raises ModelError unless one forward pass takes such a prompt, and one with a single image, which a canvas and a
    question about the whole image need too.
    """
    for count in sorted({1, images}):
        first = _logits_of_one(policy, name, count)
    if not share:
        return Abilities(images, shared=False, reason="so asked")
    reason = _unfit(policy)
    if not reason:
        reason = _tried(lambda: _difference(policy, images, first))
    size = window(policy.model)
    found = Abilities(images, not reason, reason, size if size < policy.context and not reason else 0)
    say(f"policy {shown(name)}: {found}")
    return found


@cache
def say(line: str) -> None:
    """Print a line on stderr once a process: the base and the adapters of a run are one model."""
    notice(line)


def _logits_of_one(policy: Policy, name: str | Path, images: int) -> Tensor:
    try:
        dummy = _dummies(policy, images)[0]
        return _plain.next_logits(policy, _plain.inputs(policy, [dummy.text], [dummy.images], Counters()))[0]
    except torch.OutOfMemoryError:
        raise
    except MISFITS as error:
        raise ModelError(_message(name, images, _said(error))) from error


def _unfit(policy: Policy) -> str:
    """Return what a model's interface lacks for sharing, or ""."""
    model = policy.model
    if not can_share(model):
        return "its attention needs more than a cache of keys and values"
    if "mm_encoder_outputs" not in parameters(model.forward) or not hasattr(model.base_model, "get_image_features"):
        return "its forward takes no image features that were computed before"
    return ""


def _tried(run: Callable[[], str]) -> str:
    try:
        return run()
    except torch.OutOfMemoryError:
        raise
    except MISFITS as error:
        return _said(error)


def _difference(policy: Policy, images: int, first: Tensor) -> str:
    """Return how reading two prompts the shared way differs from the plain way, or "" where it does not.

    `first` are the plain logits of the first prompt alone. Compared are the next token's logits and those after it.
    """
    dummies = _dummies(policy, images)
    inputs = _plain.inputs(policy, [d.text for d in dummies], [d.images for d in dummies], Counters())
    token = int(inputs["input_ids"][0, -1])
    vision = VisionFeatures(policy, len(SIZES), Counters(), CACHE)
    prompts = _prompts(policy, dummies, vision)
    whole = [
        tuple(row[mask.bool()].tolist())
        for row, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True)
    ]
    if [prompt.ids for prompt in prompts] != whole:
        return "its processor writes other tokens for a whole prompt than for its text and each image"
    plain = _plain.two_logits(policy, inputs, token)
    shared = _shared(policy, vision, prompts, token)
    noise, found = _apart(first, plain[0, 0]), _apart(shared, plain)
    if found <= TIMES * noise + floor(policy.model.dtype):
        return ""
    return f"its logits would differ by {found:.1g} of their spread, those of two batch sizes by {noise:.1g}"


@torch.inference_mode()
def _shared(policy: Policy, vision: VisionFeatures, prompts: list[Prompt], token: int) -> Tensor:
    """Return logits (rows, 2, vocabulary) of what follows each prompt, and of what follows `token` after it."""
    model, pad = policy.model, policy.model.generation_config.pad_token_id
    prefixes = PrefixCache(model, pad, Counters(), CACHE, ImageInputs(policy, vision), branches=CACHE)
    started = prefixes.start(prompts)
    tokens = torch.full((len(prompts),), token, device=started.logits.device)
    later, _ = step(model, tokens, started.cache, started.mask, started.positions)
    return torch.stack([started.logits, later], dim=1)


def _prompts(policy: Policy, dummies: list[Dummy], vision: VisionFeatures) -> list[Prompt]:
    names = {id(image): str(i) for i, image in enumerate({id(i): i for d in dummies for i in d.images}.values())}
    vision.encode({names[id(image)]: image for dummy in dummies for image in dummy.images})
    prompts = []
    for dummy in dummies:
        own = [names[id(image)] for image in dummy.images]
        written = [Written(vision(name).text, vision(name).tokens) for name in own]
        prompts.append(read(policy, dummy.text, own, written, policy.image_id))
    return prompts


def _apart(a: Tensor, b: Tensor) -> float:
    """Return the largest root mean square difference of two rows of logits, as a share of the spread of `b`."""
    a, b = a.double(), b.double()
    return float(((a - b).square().mean(-1).sqrt() / b.std(-1)).max())


def floor(dtype: torch.dtype) -> float:
    """Return a difference that is rounding in `dtype`, where two batch sizes happen to differ by less or not at all."""
    return max(4 * torch.finfo(dtype).eps, 1e-5)


def _dummies(policy: Policy, images: int) -> list[Dummy]:
    """Return two prompts with the same first image; their last images and texts differ."""
    seen = [_noise(size, seed) for seed, size in enumerate(SIZES)]
    second = [seen[0], *([seen[2]] * (images - 1))]
    first = [seen[0], *([seen[1]] * (images - 1))]
    return [Dummy(_text(policy, images, text), tuple(own)) for text, own in zip(TEXTS, (first, second), strict=True)]


def _noise(size: tuple[int, int], seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def _text(policy: Any, images: int, question: str) -> str:
    blocks = [*({"type": "image"} for _ in range(images)), {"type": "text", "text": question}]
    messages = [{"role": "user", "content": blocks}]
    text: str = policy.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    if text.count(policy.image_token) != images:
        written = text.count(policy.image_token)
        raise ValueError(f"its chat template writes {written} image tokens for {images} images")
    return text


def _said(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _message(name: str | Path, images: int, reason: str) -> str:
    if images == 1:
        return (
            f"policy {shown(name)}: does not read an image in a prompt ({reason}). Compare its processor_config.json"
            " and chat template with those of its publisher, or name another model."
        )
    advice = "Use --set image_layout=canvas, which puts them into one image, or name another model"
    return f"policy {shown(name)}: does not take {images} images in a prompt ({reason}). {advice}."
