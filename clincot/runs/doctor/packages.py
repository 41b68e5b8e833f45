"""The installed packages -> their versions, and what needs those that are optional."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import dataclass

NEEDED = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "huggingface_hub", "safetensors")
OPTIONAL = {
    "torchvision": "Qwen2-VL and newer, LLaVA-OneVision and others whose processors read videos (extra vision)",
    "bitsandbytes": "load.quantization: int8 and nf4 (extra quantization)",
    "flash-attn": "load.attention: flash_attention_2",
    "sentencepiece": "tokenizers that are a tokenizer.model alone",
    "tiktoken": "tokenizers that are a tiktoken file alone",
    "num2words": "SmolVLM (extra vision)",
    "radeval": "the clinical metrics (extra clinical)",
    "pydicom": "images that are DICOM files (extra dicom)",
    "deepspeed": "train.dpo.deepspeed",
    "ray": "--executor ray (extra ray)",
}


@dataclass(frozen=True)
class Package:
    """A package, its version ("" where it is not installed) and, where it is optional, what needs it."""

    name: str
    version: str
    needed_by: str = ""


def packages() -> list[Package]:
    """Return Python and clincot, what clincot always needs, then what only some of it needs."""
    from clincot import __version__

    first = [Package("python", platform.python_version()), Package("clincot", __version__)]
    needed = [Package(name, _version(name)) for name in NEEDED]
    return first + needed + [Package(name, _version(name), reason) for name, reason in OPTIONAL.items()]


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
