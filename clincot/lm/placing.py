"""A role's `Load` and this machine -> what `from_pretrained` is called with, or a refusal before weights are read."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, BitsAndBytesConfig, PretrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
from transformers.quantizers import AutoHfQuantizer

from clincot.errors import ModelError
from clincot.lm.footprint import empty_model
from clincot.lm.language_model import image_modules
from clincot.recipe.load import SPREAD, Load

INSTALL = 'Run `pip install "clincot[quantization]"`'


def device_of(load: Load) -> torch.device:
    """Return the device that `load` names, else the first GPU, else the CPU; of a spread model that of its inputs."""
    named = "" if load.device_map in SPREAD else load.device_map
    return torch.device(named or ("cuda" if torch.cuda.is_available() else "cpu"))


def refuse_unloadable(load: Load, where: str) -> None:
    """Raise ModelError where this machine lacks the device, the kernels or the library that `load` needs.

    `where` is the setting ("models.policy.load"); no file is read, so every role can be checked before one is loaded.
    """
    device = device_of(load)
    known = {"cpu": 1, "cuda": torch.cuda.device_count(), "xpu": torch.xpu.device_count()}
    known["mps"] = int(torch.backends.mps.is_available())
    if (device.index or 0) >= known.get(device.type, 0):
        found = ", ".join(f"{count} {name}" for name, count in known.items() if count)
        raise ModelError(f"{where}.device_map: {load.device_map!r} is not on this machine ({found}). Name another.")
    if load.attention == "flash_attention_2":
        _refuse_flash(load, device, where)
    if load.quantization != "none":
        _refuse_bitsandbytes(f"{where}.quantization", load.quantization, device)


def load_options(folder: Path, load: Load, where: str) -> dict[str, Any]:
    """Return the keyword arguments of `from_pretrained` for the model in `folder`, without its weights being read.

    Raises ModelError for what this machine cannot do and for a second quantisation; what AutoConfig raises for a
    folder that is no model. `where` begins messages.
    """
    refuse_unloadable(load, where)
    config = AutoConfig.from_pretrained(folder)
    options: dict[str, Any] = {"dtype": load.dtype}
    if load.attention != "auto":
        options["attn_implementation"] = load.attention
    if load.attention == "flash_attention_2" and load.dtype == "auto" and config.dtype not in HALF:
        raise ModelError(
            f"{where}.attention: flash_attention_2 needs bfloat16 or float16, and the weights are"
            f" {_name(config.dtype)}. Set load.dtype to bfloat16 too."
        )
    if load.device_map in SPREAD:
        options["device_map"] = load.device_map
    stored = stored_quantization(config)
    if stored:
        _check_stored(config, stored, load, where)
    elif load.quantization != "none":
        options["quantization_config"] = _quantization(config, load)
    if stored or load.quantization != "none":
        # Weights are quantised on the device that they go to. Accelerate trains only where it finds the device's index.
        device = device_of(load)
        numbered = device.type == "cuda" and device.index is None
        options.setdefault("device_map", {"": torch.cuda.current_device() if numbered else device})
    return options


def stored_quantization(config: PretrainedConfig) -> str:
    """Return how the weights on disk are quantised ("bitsandbytes 4 bit", "gptq", "awq"), "" for plain ones."""
    found: Any = getattr(config, "quantization_config", None)
    if not found:
        return ""
    values = found if isinstance(found, dict) else found.to_dict()
    method = str(getattr(values.get("quant_method"), "value", values.get("quant_method")) or "bitsandbytes")
    return f"{method} {4 if values.get('load_in_4bit') else 8} bit" if method == "bitsandbytes" else method


HALF = (torch.bfloat16, torch.float16)


def _quantization(config: PretrainedConfig, load: Load) -> BitsAndBytesConfig:
    """Linear layers of the language model in 4 or 8 bits; what sees images and the output embedding keep their dtype.

    NF4 with quantised scales is the setting of QLoRA (Dettmers et al. 2023, section 3).
    """
    dtype = config.dtype or torch.float32 if load.dtype == "auto" else getattr(torch, load.dtype)
    kept = _kept(config)
    if load.quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=kept)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=kept,
    )


def _kept(config: PretrainedConfig) -> list[str] | None:
    """Return the modules of a vision-language model to keep; None for a text model: transformers keeps its head."""
    if config.model_type not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return None
    model = empty_model(config)
    head: Any = model.get_output_embeddings()
    return [*image_modules(model), *(name for name, module in model.named_modules() if module is head)]


def _check_stored(config: PretrainedConfig, stored: str, load: Load, where: str) -> None:
    if load.quantization != "none":
        raise ModelError(
            f"{where}.quantization: the weights are quantised already ({stored}). Leave it out, or"
            " name the repository of the unquantised model."
        )
    if stored.startswith("bitsandbytes"):
        _refuse_bitsandbytes(where, f"a model whose weights are quantised ({stored})", device_of(load))
    try:
        AutoHfQuantizer.from_config(config.quantization_config, pre_quantized=True).validate_environment()
    except (ImportError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise ModelError(
            f"{where}: the weights are quantised ({stored}): {said}. Install it, or name an unquantised model."
        ) from error


def _refuse_flash(load: Load, device: torch.device, where: str) -> None:
    other = "Set load.attention to sdpa, or leave it out."
    if device.type != "cuda":
        raise ModelError(f"{where}.attention: flash_attention_2 needs a CUDA GPU; the model goes to {device}. {other}")
    if find_spec("flash_attn") is None:
        raise ModelError(
            f"{where}.attention: flash_attention_2 needs the package flash-attn, which is not installed."
            f" Run `pip install flash-attn --no-build-isolation`. {other}"
        )
    if load.dtype == "float32":
        raise ModelError(f"{where}.attention: flash_attention_2 reads no float32. Set load.dtype to bfloat16.")


def _refuse_bitsandbytes(where: str, what: str, device: torch.device) -> None:
    if find_spec("bitsandbytes") is None:
        raise ModelError(
            f"{where}: {what} needs the package bitsandbytes, which is not installed. {INSTALL}, or load the model"
            " unquantised."
        )
    import bitsandbytes

    # It says at every layer that int8 products are computed from float16.
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    supported = getattr(bitsandbytes, "supported_torch_devices", {"cuda"})
    if device.type not in supported:
        raise ModelError(
            f"{where}: {what} runs on {', '.join(sorted(supported))} with bitsandbytes {bitsandbytes.__version__}, and"
            f" the model goes to {device}. Load it unquantised, or name another device_map."
        )


def _name(dtype: torch.dtype | None) -> str:
    return str(dtype or torch.float32).removeprefix("torch.")
