"""The folder of a vision-language model -> its processor with the PIL backend, or the reason why it cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoImageProcessor, AutoProcessor, ProcessorMixin

from clincot.errors import ModelError
from clincot.lm.image_fit import set_fit
from clincot.lm.loading import first_line
from clincot.lm.templates import Repair, repair
from clincot.lm.tokenizer_files import lacks, refuse_without_library
from clincot.progress import notice
from clincot.recipe import ImageFit
from clincot.records.lineage import shown

# What processors need beyond clincot's own packages -> the name that pip knows.
LIBRARIES = {"torchvision": "torchvision", "num2words": "num2words", "sentencepiece": "sentencepiece"}
LIBRARIES |= {"tiktoken": "tiktoken", "mistral_common": "mistral-common", "protobuf": "protobuf"}


def read_processor(base: str | Path, image_fit: ImageFit = "as_is") -> Any:
    """Return the processor in folder `base`, with known faults of its prompts repaired (templates.py), which is said.

    Images become the square that the model reads by `image_fit` (image_fit.py). Raises ModelError for a library that is
    missing, naming it, for files that cannot be read and for a fault without a repair.
    """
    processor, repairs = _read(Path(base))
    for made in repairs:
        notice(f"{shown(base)}: {made.says}")
    if isinstance(processor, ProcessorMixin):
        set_fit(processor, image_fit, base)
    return processor


def repairs_of(base: str | Path) -> tuple[str, ...]:
    """Return the rules by which the processor in `base` is repaired when it is read."""
    return tuple(made.rule for made in _read(Path(base))[1])


def _read(base: Path) -> tuple[Any, tuple[Repair, ...]]:
    refuse_without_library(base, "policy")
    # The PIL backend is part of a run's key: torchvision's pixels differ by up to one grey level
    # (docs/training.md#libraries).
    try:
        processor = _with_pil(base)
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        raise ModelError(unreadable(base, error)) from error
    return processor, repair(processor, base) if isinstance(processor, ProcessorMixin) else ()


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
        if name in said.replace("-", "_") and lacks(name):
            own = " Take the release that belongs to the installed torch." if name == "torchvision" else ""
            return f"policy {shown(base)}: its processor needs the package {name}. Run `pip install {package}`.{own}"
    return f"policy {shown(base)}: its processor cannot be read ({first_line(error)}). Add the files of its processor."
