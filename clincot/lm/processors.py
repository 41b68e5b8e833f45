"""The folder of a vision-language model -> its processor with the PIL backend, or the reason why it cannot be read."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoImageProcessor, AutoProcessor, ProcessorMixin

from clincot.errors import ModelError
from clincot.lm.image_fit import set_fit
from clincot.lm.loading import first_line
from clincot.lm.templates import write_bos
from clincot.progress import notice
from clincot.recipe import ImageFit
from clincot.records.lineage import shown

# What processors need beyond clincot's own packages -> the name that pip knows.
LIBRARIES = {"torchvision": "torchvision", "num2words": "num2words", "sentencepiece": "sentencepiece"}
LIBRARIES |= {"tiktoken": "tiktoken", "mistral_common": "mistral-common", "protobuf": "protobuf"}
MODULES = {"protobuf": "google.protobuf"}
# Tokens that a tower has in addition to its patches: CLIP's class token.
ADDITIONAL = {"clip_vision_model": 1, "siglip_vision_model": 0}


def read_processor(base: str | Path, image_fit: ImageFit = "as_is") -> Any:
    """Return the processor in folder `base`, completed where old repositories of LLaVA lack numbers or BOS.

    Images become the square that the model reads by `image_fit` (image_fit.py). Raises ModelError for a library that is
    missing, naming it, and for files that cannot be read.
    """
    # The PIL backend is part of a run's key: torchvision's pixels differ by up to one grey level
    # (docs/training.md#libraries).
    try:
        processor = _with_pil(Path(base))
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        raise ModelError(unreadable(base, error)) from error
    if isinstance(processor, ProcessorMixin):
        _complete(processor, Path(base))
        write_bos(processor, base)
        set_fit(processor, image_fit, base)
    return processor


def _with_pil(base: Path) -> Any:
    try:
        return AutoProcessor.from_pretrained(base, backend="pil")
    except ImportError:
        # The keyword reaches the processor of videos too, which has no such backend (transformers 5.23).
        processor: Any = AutoProcessor.from_pretrained(base)
        processor.image_processor = AutoImageProcessor.from_pretrained(base, backend="pil")
        return processor


def unreadable(base: str | Path, error: Exception) -> str:
    """Return what `error` means for the processor in `base`: a library that is missing, or files that are not right."""
    said = str(error).lower()
    for name, package in LIBRARIES.items():
        if name in said.replace("-", "_") and _lacks(name):
            own = " Take the release that belongs to the installed torch." if name == "torchvision" else ""
            return f"policy {shown(base)}: its processor needs the package {name}. Run `pip install {package}`.{own}"
    return f"policy {shown(base)}: its processor cannot be read ({first_line(error)}). Add the files of its processor."


def _lacks(name: str) -> bool:
    try:
        return find_spec(MODULES.get(name, name)) is None
    except ModuleNotFoundError:  # the package around it
        return True


def _complete(processor: Any, base: Path) -> None:
    """Set what a LLaVA's processor lacks from the model's config.

    Without `num_additional_image_tokens` a processor counts one image token too few for a CLIP tower: a build that
    shares trunks does not notice, and training ends with an error.
    """
    if not hasattr(processor, "num_additional_image_tokens"):
        return
    path = base / "processor_config.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    config = AutoConfig.from_pretrained(base)
    vision = getattr(config, "vision_config", None)
    known = {
        "patch_size": getattr(vision, "patch_size", None),
        "num_additional_image_tokens": ADDITIONAL.get(getattr(vision, "model_type", "")),
        "vision_feature_select_strategy": getattr(config, "vision_feature_select_strategy", None),
    }
    lacking = {name: value for name, value in known.items() if stored.get(name) is None}
    unknown = [name for name, value in lacking.items() if value is None and name != "vision_feature_select_strategy"]
    if unknown:
        raise ModelError(
            f"policy {shown(base)}: its processor lacks {' and '.join(unknown)}, and its tower is not one whose numbers"
            " are known. Add them to processor_config.json in a copy of the model."
        )
    for name, value in lacking.items():
        setattr(processor, name, value)
    if lacking:
        said = ", ".join(f"{name} {value}" for name, value in lacking.items())
        notice(f"{shown(base)}: its processor lacks {said}: taken from the model's config")
