"""The folder of a LLaVA -> findings: what a round with it would trip over, silently or hours later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import AutoConfig, LlavaConfig, LlavaProcessor

from clincot.convert import fit, prompt_checks
from clincot.convert.finding import Finding, fails, ok, warns
from clincot.convert.llava_config import needed
from clincot.convert.llava_med_names import EMBEDDINGS, HEAD, TOWER, on_disk
from clincot.convert.served import renamed
from clincot.convert.stored import Stored, read_json, stored
from clincot.errors import ModelError
from clincot.lm.loading import first_line, shortened
from clincot.lm.tokenizer_files import refuse_without_library


def check(folder: Path, sizes: Sequence[tuple[int, int]] = ()) -> tuple[Finding, ...]:
    """Return what was found in `folder`; `sizes` (width, height) are those of the images that it will read.

    Raises ModelError where the folder is no LLaVA, or its configuration, processor or files of weights are not whole.
    """
    kind = read_json(folder / "config.json").get("model_type")
    if kind != "llava":
        advice = "Convert it: `clincot convert llava-med`." if kind == "llava_mistral" else "Name another model."
        raise ModelError(f"{folder}: is of type {kind}; only llava can be checked. {advice}")
    held = stored(folder)
    refuse_without_library(folder, "model")
    try:
        config = AutoConfig.from_pretrained(folder)
        processor: Any = LlavaProcessor.from_pretrained(folder, backend="pil")
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise ModelError(f"{folder}: cannot be loaded ({first_line(error)}). Name the folder of a model.") from error
    shapes = {_plain(on_disk(name)): tensor.shape for name, tensor in held.items()}
    rows = shapes.get(EMBEDDINGS, (0,))[0]
    return (
        _weights(config, shapes),
        _servers(held, config),
        prompt_checks.image_token(config, processor, rows),
        prompt_checks.image_length(config, processor, folder),
        prompt_checks.template(processor, folder),
        *((prompt_checks.answer_end(processor, folder),) if processor.chat_template else ()),
        prompt_checks.saving(processor),
        fit.pixels(processor, config.vision_config.image_size),
        fit.lost(processor, sizes),
    )


def _weights(config: LlavaConfig, shapes: dict[str, tuple[int, ...]]) -> Finding:
    wanted = {_plain(name): shape for name, shape in needed(config).items()}
    if config.tie_word_embeddings or config.text_config.tie_word_embeddings:
        wanted.pop(HEAD, None)
    if missing := sorted(set(wanted) - set(shapes)):
        return fails("weights", f"lack {shortened(missing)}. Convert or download the model again.")
    if other := sorted(name for name, shape in wanted.items() if shapes[name] != shape):
        says = f"{other[0]} is {shapes[other[0]]}, the configuration says {wanted[other[0]]}. Correct config.json."
        return fails("weights", says)
    return ok("weights", f"all {len(wanted)} tensors, in their shapes")


def _servers(held: dict[str, Stored], config: LlavaConfig) -> Finding:
    if renamed(held, config.to_dict()):
        return warns("servers", f"vLLM reads the tower as {TOWER}*. Rename its tensors (docs/convert.md) to serve it.")
    return ok("servers", "vLLM reads these names")


def _plain(name: str) -> str:
    """Return a name on a disk without the infix that some files have and others do not."""
    return name.replace(TOWER, "vision_tower.")
