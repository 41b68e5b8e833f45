"""A base model and an adapter -> one model folder for serving, whose logits on a probe equal those of the two."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from PIL import Image
from torch import Tensor
from transformers import AutoConfig, AutoModelForImageTextToText

from clincot.chain.prompts import finding_messages
from clincot.convert.served import name_for_servers
from clincot.errors import ClincotError, ModelError
from clincot.lm.ends import end_ids
from clincot.lm.loading import load_weights
from clincot.lm.placing import stored_quantization
from clincot.lm.processors import repairs_of
from clincot.lm.prompt_faults import NUMBERS
from clincot.lm.weights import refuse_half, refuse_other_base
from clincot.objectives.sides import Renderer
from clincot.recipe import ImageFit
from clincot.recipe.load import DEFAULT, Load
from clincot.records.atomic import new_folder
from clincot.records.lineage import shown
from clincot.stages.train.policy import open_processor, stored_dtype
from clincot.stages.train.saves import saving

# The largest difference of a logit over the largest logit, by the dtype of the exported weights. Measured on the
# phantom's policy with a round's adapter, and with its second factors times 100: 4e-7, 5e-4 and 3e-3.
TOLERANCE = {torch.float32: 1e-4, torch.float16: 5e-3, torch.bfloat16: 5e-2}
# What reads text and images is copied as it is in the base, but for repairs: a template that a library rewrites may
# differ.
READERS = ("*token*.json", "*token*.model", "vocab.*", "merges.txt", "*processor_config.json", "chat_template.*")
QUESTION, ANSWER = "Is there a finding in the left lung?", "The local image shows no finding."


@dataclass(frozen=True)
class Merged:
    """`difference` is the largest |logit| apart on the probe, over the largest |logit|; `allowed` what it may be.

    `from_quantised` is that of base + adapter as they were trained, quantised; None where they were not, or where
    bitsandbytes is not installed.
    """

    folder: Path
    dtype: str
    difference: float
    allowed: float
    from_quantised: float | None = None


def export_merged(
    base: Path,
    adapter: Path,
    out: Path,
    dtype: str = "auto",
    image_fit: ImageFit = "as_is",
    trained: Load = DEFAULT,
) -> Merged:
    """Write base and adapter as one model to `out`, in the base's own dtype or `dtype` (float32, bfloat16, float16).

    The layout is that of any model folder: config, weights in safetensors, generation config, tokenizer and processor.
    The processor fits images as in training (`image_fit`). Merging is done in float32 (4 bytes a parameter), one model
    in memory at a time. Raises ClincotError when `out` is not empty, ModelError when the written model, loaded again,
    answers otherwise; DiskFull. `out` appears when whole. `trained` says how the base was loaded in training: what was
    trained on quantised weights is merged into the plain ones, and the difference that this makes is measured.
    """
    refuse_full(out)
    _refuse_quantised(base)
    wanted = _dtype(base, dtype)
    with new_folder(out) as partial:
        with saving(partial):
            expected = _write(base, adapter, partial, wanted, image_fit)
        again, ends, _ = open_processor(partial)
        found = _logits(AutoModelForImageTextToText.from_pretrained(partial, dtype=torch.float32), again, ends)
        difference = _apart(found, expected)
        if not difference <= TOLERANCE[wanted]:
            raise ModelError(
                f"{out}: the merged model's logits differ from base + adapter by {difference:.2g} of the largest,"
                f" allowed {TOLERANCE[wanted]:g}. Export with --dtype float32, or serve base and adapter as two."
            )
    apart = _from_quantised(base, adapter, expected, image_fit, trained)
    return Merged(out, str(wanted).removeprefix("torch."), difference, TOLERANCE[wanted], apart)


def refuse_full(out: Path) -> None:
    """Raise ClincotError unless `out` is new or an empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ClincotError(f"{out}: exists and is not empty. Name a new folder.")


def _refuse_quantised(base: Path) -> None:
    """Raise ModelError for a base whose weights are quantised on disk: the plain ones to add LoRA to are gone."""
    stored = stored_quantization(AutoConfig.from_pretrained(base))
    if stored:
        raise ModelError(
            f"{shown(base)}: its weights are quantised ({stored}), so an adapter cannot be added to them exactly. Serve"
            " base and adapter as two (vllm serve BASE --enable-lora --lora-modules NAME=ADAPTER), or train on the"
            " unquantised model with models.policy.load.quantization=nf4 and export that."
        )


def _from_quantised(base: Path, adapter: Path, merged: Tensor, image_fit: ImageFit, trained: Load) -> float | None:
    """Return how far the logits of the quantised base and adapter are from those of the merged model."""
    if trained.quantization == "none" or find_spec("bitsandbytes") is None:
        return None
    processor, ends, _ = open_processor(base, image_fit)
    model = PeftModel.from_pretrained(load_weights(AutoModelForImageTextToText, base, trained, "policy"), adapter)
    return _apart(_logits(model, processor, ends).cpu(), merged)


def _apart(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


def _dtype(base: Path, asked: str) -> torch.dtype:
    if asked != "auto":
        known = {str(one).removeprefix("torch."): one for one in TOLERANCE}
        if asked not in known:
            raise ClincotError(
                f"--dtype {asked}: is not one of {', '.join(sorted(known))}. Leave it out for the base's."
            )
        return known[asked]
    stored = stored_dtype(base)
    return stored if stored in TOLERANCE else torch.float32


def _write(base: Path, adapter: Path, folder: Path, dtype: torch.dtype, image_fit: ImageFit) -> Tensor:
    """Save the merged model and what it is read with; return the logits of base and adapter on the probe."""
    refuse_half(base, "policy")
    refuse_half(adapter, "adapter")
    plain: Any = AutoModelForImageTextToText.from_pretrained(base, dtype=torch.float32)
    refuse_other_base(plain, adapter, base)
    model = PeftModel.from_pretrained(plain, adapter)
    processor, tokens, _ = open_processor(base, image_fit)
    expected = _logits(model, processor, tokens)
    merged: Any = model.merge_and_unload(safe_merge=True)  # safe: a weight that is no number is an error
    # A server stops at what this file names; a text was trained to end where the build's engine stops.
    ends = end_ids(processor, merged.generation_config, merged.config)
    merged.generation_config.eos_token_id = ends[0] if len(ends) == 1 else list(ends)
    merged.to(dtype).save_pretrained(folder)
    name_for_servers(folder)
    for pattern in READERS:
        for path in base.glob(pattern):
            shutil.copyfile(path, folder / path.name)
    if image_fit != "as_is":
        _write_images(processor.image_processor, folder)  # type: ignore[attr-defined]
    if repairs_of(base):
        _write_repaired(processor, folder)
    return expected


def _write_images(part: Any, folder: Path) -> None:
    """Let the folder's processor prepare images as `part` does; older folders have a separate file for that."""
    if "image_processor" in _config(folder):
        _write_config(folder, image_processor=json.loads(part.to_json_string()))
    else:
        part.save_pretrained(folder)


def _write_repaired(processor: Any, folder: Path) -> None:
    """Write the repaired template and numbers, so that a server writes the prompts that were trained."""
    (folder / "chat_template.json").unlink(missing_ok=True)  # it would win
    (folder / "chat_template.jinja").write_text(processor.chat_template, encoding="utf-8")
    _write_config(folder, **{name: getattr(processor, name) for name in NUMBERS if hasattr(processor, name)})


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "processor_config.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _write_config(folder: Path, **changed: Any) -> None:
    text = json.dumps(_config(folder) | changed, indent=2)
    (folder / "processor_config.json").write_text(text + "\n", encoding="utf-8")


@torch.no_grad()
def _logits(model: Any, processor: Any, ends: tuple[str, ...]) -> Tensor:
    """Return float32 logits (tokens, vocabulary) for a drawn image, a wide part of it, a question and an answer."""
    shades = np.add.outer(np.arange(128), np.arange(128)).astype(np.uint8)
    image = Image.fromarray(shades).convert("RGB")
    images = [image, image.crop((32, 32, 96, 80))]
    side = Renderer(processor, end_tokens=ends).side({"id": "probe"}, finding_messages(QUESTION, ()), images, ANSWER)
    text = side.prompt + side.completion
    inputs = processor(images=images, text=[text], add_special_tokens=False, return_tensors="pt").to(model.device)
    logits: Tensor = model.eval()(**inputs).logits[0].float()
    return logits
