"""Folders of a base model and an adapter -> model, processor and what decoding needs to know about them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModelForImageTextToText, GenerationConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from clincot.errors import ModelError
from clincot.lm.ends import end_ids
from clincot.lm.escaping import Escape, escape_of
from clincot.lm.lengths import context_length
from clincot.lm.loading import first_line, load_weights, no_text_ids, shortened
from clincot.lm.processors import read_processor
from clincot.lm.weights import refuse_half, refuse_other_base
from clincot.recipe import ImageFit
from clincot.recipe.load import DEFAULT, Load
from clincot.records.lineage import shown


@dataclass(frozen=True)
class Policy:
    """A vision-language model ready to read and write; `suppressed` are token ids that are no text.

    `escape` breaks up what a prompt's text must not hold literally.
    """

    model: Any = field(repr=False)
    processor: Any = field(repr=False)
    tokenizer: Any = field(repr=False)
    image_token: str
    stops: frozenset[int]
    suppressed: tuple[int, ...]
    context: int
    escape: Escape = field(repr=False)

    @property
    def image_id(self) -> int:
        """Return the id of the tokens that features fill; `image_token` may be a mark that they follow (Gemma 3)."""
        own = getattr(self.model.config, "image_token_id", None)
        return int(self.tokenizer.convert_tokens_to_ids(self.image_token) if own is None else own)


def load_policy(base: Path, adapter: Path | None, load: Load = DEFAULT, image_fit: ImageFit = "as_is") -> Policy:
    """Load base and adapter in inference mode; raises ModelError when either cannot be what it should be."""
    _refuse_other_models(base)
    model = load_weights(AutoModelForImageTextToText, base, load, "policy")
    if adapter is not None:
        refuse_half(adapter, "adapter")
        refuse_other_base(model, adapter, base)
        model = _with_adapter(model, adapter).eval()
    processor = read_processor(base, image_fit)
    if not hasattr(processor, "image_processor") or getattr(processor, "chat_template", None) is None:
        raise ModelError(
            f"policy {shown(base)}: has no processor with a chat template. Add the files of its processor."
        )
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "left"
    stops = frozenset(end_ids(processor, model.generation_config, model.config))
    # A model's own sampling defaults (repetition penalty, top-k) would enter `generate` unasked and unrecorded.
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(stops)
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=sorted(stops), pad_token_id=pad
    )
    suppressed = no_text_ids(tokenizer, model.get_output_embeddings().out_features, stops)
    image_token = str(getattr(processor, "image_token", "<image>"))
    context, escape = context_length(model), escape_of(processor)
    return Policy(model, processor, tokenizer, image_token, stops, suppressed, context, escape)


def _refuse_other_models(base: Path) -> None:
    try:
        kind = AutoConfig.from_pretrained(base).model_type
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"policy {shown(base)}: cannot be loaded ({first_line(error)}). Name another model."
        ) from error
    if kind not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        advice = "Name a base such as a LLaVA in Hugging Face format"
        raise ModelError(f"policy {shown(base)}: is a {kind!r}, not a vision-language model. {advice}.")


def _with_adapter(model: Any, adapter: Path) -> Any:
    from peft import PeftModel  # 5 s of imports that a run without an adapter does not pay

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            wrapped = PeftModel.from_pretrained(model, str(adapter))
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(f"adapter {adapter}: does not fit ({first_line(error)}). Name its own base.") from error
    for warning in caught:
        if "missing adapter keys" in str(warning.message):
            raise ModelError(
                f"adapter {adapter}: {shortened([str(warning.message)])}. Use the adapter with its own base."
            )
    # LoRA lives inside the base's modules; the unwrapped model keeps the base's own `forward` signature.
    return wrapped.get_base_model()
