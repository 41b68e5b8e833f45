"""The sizes of a LLaVA and of its texts -> floating-point operations of a DPO step per pair, in each layout of rows.

Counted with torch's FlopCounterMode on the meta device, attention in full (length x length) whatever the mask leaves
out. The language-model head is counted at the scored places, as TRL's fused head works on a GPU.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPVisionConfig, LlavaConfig, LlavaForConditionalGeneration, MistralConfig
from transformers.modeling_outputs import BaseModelOutputWithPooling

from clincot.objectives.tree import Text, Tree, padded, plant

LORA = LoraConfig(
    r=16, lora_alpha=32, target_modules="all-linear", exclude_modules=r".*(vision_tower|multi_modal_projector).*"
)


@dataclass(frozen=True)
class Sizes:
    """A LLaVA and its texts: prompt = `template` + 2 images of `side`² tokens + `question`, then `answer`."""

    hidden: int
    inner: int
    layers: int
    heads: int
    vision_hidden: int
    vision_inner: int
    vision_layers: int
    vision_heads: int
    side: int
    patch: int
    template: int
    question: int
    answer: int
    vocabulary: int

    @property
    def picture(self) -> int:
        return self.side**2


@dataclass(frozen=True)
class Count:
    """Operations per pair, forward and backward, in units of 1e12."""

    checkpointed: float
    plain: float


# 35 + 2 * 576 + 60 = 1,247 tokens of prompt.
SEVEN_B = Sizes(4096, 14336, 32, 32, 1024, 4096, 24, 16, 24, 14, 35, 60, 100, 32064)


def config_of(sizes: Sizes, image_token: int, **text: Any) -> LlavaConfig:
    """Return a LLaVA of Mistral and CLIP with a quarter as many key heads as query heads."""
    language = MistralConfig(
        hidden_size=sizes.hidden,
        intermediate_size=sizes.inner,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        num_key_value_heads=max(1, sizes.heads // 4),
        vocab_size=sizes.vocabulary,
        sliding_window=None,
        max_position_embeddings=32768,
        **text,
    )
    vision = CLIPVisionConfig(
        hidden_size=sizes.vision_hidden,
        intermediate_size=sizes.vision_inner,
        num_hidden_layers=sizes.vision_layers,
        num_attention_heads=sizes.vision_heads,
        image_size=sizes.side * sizes.patch,
        patch_size=sizes.patch,
    )
    return LlavaConfig(
        vision_config=vision,
        text_config=language,
        image_token_id=image_token,
        image_seq_length=sizes.picture,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )


def text_of(sizes: Sizes, crop: str, number: int, step: int = 1) -> Text:
    """A prompt with the one global image, the crop named and a step's question, and an answer of the number's own."""
    image = sizes.vocabulary - 1
    prompt = [5] * sizes.template + [image] * (2 * sizes.picture) + [5 - step] * sizes.question
    keys: list[Any] = list(prompt)
    for place in range(2 * sizes.picture):
        name = "global" if place < sizes.picture else crop
        keys[sizes.template + place] = (name, place % sizes.picture)
    return Text(tuple(prompt), tuple(keys), (7 + number,) * sizes.answer)


def count_all(sizes: Sizes) -> dict[str, Count]:
    """Return the operations of each layout; stock TRL runs the reference in every step, ours reads it."""
    same = [text_of(sizes, "crop", n) for n in (0, 1)]
    own = [text_of(sizes, f"crop {n}", n) for n in (0, 1)]
    candidates = [text_of(sizes, f"crop {n}", n) for n in range(5)]
    # Recomputation makes the image's embedding ask for a gradient, so that stock's backward pass runs through the
    # frozen tower as well (seen in the real trainer); a model once switched stays so, hence two models.
    model = {checkpointed: _model(sizes, checkpointed) for checkpointed in (True, False)}
    two_rows = [[same[0]], [same[1]]]
    return {
        "stock TRL": _count(model, sizes, two_rows, 1, reference=True),
        "pair, stored reference": _count(model, sizes, two_rows, 1),
        "shared, own crops": _count(model, sizes, [own], 1),
        "shared, own crops, features kept": _count(model, sizes, [own], 1, encode=False),
        "shared, same images": _count(model, sizes, [same], 1),
        "group of 5, 4 pairs, own crops": _count(model, sizes, [candidates], 4),
    }


def default_recipe(sizes: Sizes, counts: dict[str, Count], epochs: int = 3) -> tuple[float, float]:
    """Return operations of a pair and epoch of the default recipe, and those of a pair's reference, computed once.

    The recipe draws two pairs in each of two steps, shows both sides of a pair the winner's crop (`conditioning:
    winner`) and trains three epochs. The reference of a question's four pairs is one forward pass over one row
    (stages/train/reference.py). Four winners drawn from six regions have 6 * (1 - (5 / 6) ** 4) = 3.1 crops; a crop
    that occurs twice is one of both steps, whose prompts differ behind it.
    """
    model = {False: _model(sizes, False)}
    crops = 6 * (1 - (5 / 6) ** 4)
    once = sum(
        share * _count(model, sizes, [_of_question(sizes, count)], 4, backward=False).plain
        for count, share in ((3, 4 - crops), (4, crops - 3))
    )
    return counts["shared, same images"].plain + once / epochs, once


def _of_question(sizes: Sizes, crops: int) -> list[Text]:
    """Return the texts of two pairs of step 1 and two of step 2, after 3 or 4 crops in all."""
    texts = []
    for pair, (step, crop) in enumerate(((1, 0), (1, 1), (2, 2), (2, 0 if crops == 3 else 3))):
        texts += [text_of(sizes, f"crop {crop}", 2 * pair + side, step) for side in (0, 1)]
    return texts


def _model(sizes: Sizes, checkpointed: bool) -> Any:
    with torch.device("meta"):
        base = LlavaForConditionalGeneration(config_of(sizes, sizes.vocabulary - 1)).to(torch.bfloat16)
        model = get_peft_model(base, LORA, autocast_adapter_dtype=False).train()
    if checkpointed:
        model.gradient_checkpointing_enable()
    return model


def _inputs(sizes: Sizes, trees: list[Tree], batch: dict[str, torch.Tensor], encode: bool) -> dict[str, Any]:
    pictures = sum(isinstance(key, tuple) and key[1] == 0 for tree in trees for key in tree.keys)
    inputs: dict[str, Any] = {k: batch[k].to("meta") for k in ("input_ids", "position_ids", "attention_mask")}
    width = sizes.side * sizes.patch
    with torch.device("meta"):
        if encode:
            return inputs | {"pixel_values": torch.empty(pictures, 3, width, width, dtype=torch.bfloat16)}
        features: Any = list(torch.empty(pictures, sizes.picture, sizes.hidden, dtype=torch.bfloat16))
        return inputs | {"mm_encoder_outputs": {"image": BaseModelOutputWithPooling(pooler_output=features)}}


def _encoded(model: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Images through the frozen tower without a gradient, as clincot's trainer does under recomputation."""
    pixels = known["pixel_values"]
    with torch.no_grad():
        features = model.get_base_model().get_image_features(pixel_values=pixels, return_dict=True)
    rest = {name: value for name, value in known.items() if name != "pixel_values"}
    return rest | {"mm_encoder_outputs": {"image": features}}


@contextmanager
def _unchecked() -> Iterator[None]:
    """Skip transformers' check of the number of image tokens: it reads values, and the meta device has none."""
    name = "TRANSFORMERS_DISABLE_TORCH_CHECK"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        os.environ.pop(name) if before is None else os.environ.update({name: before})


def _count(
    models: dict[bool, Any],
    sizes: Sizes,
    rows: list[list[Text]],
    pairs: int,
    *,
    reference: bool = False,
    encode: bool = True,
    backward: bool = True,
) -> Count:
    trees = [plant(texts) for texts in rows]
    batch = padded(trees, 0)
    # A token is predicted at the place before it; all rows of a batch score the same places.
    scored = torch.nonzero(batch["owner"][0, 1:] >= 0).flatten().to("meta")
    known = {**_inputs(sizes, trees, batch, encode), "logits_to_keep": scored, "use_cache": False}
    found = {}
    for checkpointed, model in sorted(models.items()):
        with _unchecked(), FlopCounterMode(display=False) as counter:
            if reference:
                with torch.no_grad(), model.disable_adapter():
                    model(**known)
            elif checkpointed and encode:
                known = _encoded(model, known)
            if backward:
                model(**known).logits.log_softmax(-1).sum().backward()
            else:
                with torch.no_grad(), model.disable_adapter():
                    model(**known)
        found[checkpointed] = counter.get_total_flops() / pairs / 1e12
    return Count(found.get(True, 0.0), found[False])
