"""The folder of a model -> its weights, complete or refused, the device they go to, and the ids it must not write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from clincot.errors import ModelError
from clincot.lm.ends import special_ids
from clincot.lm.placing import device_of, load_options
from clincot.lm.weights import refuse_half
from clincot.recipe.load import Load
from clincot.records.lineage import shown


def load_weights(kind: Any, folder: Path, load: Load, role: str) -> Any:
    """Return `kind.from_pretrained(folder)` where `load` wants it, ready to read and write.

    Raises ModelError for a folder that is no model, for what this machine lacks (`placing`), and for what transformers
    only warns about: weights that are missing.
    """
    refuse_half(folder, role)
    try:
        options = load_options(folder, load, f"{role} {shown(folder)}: load")
        model, info = kind.from_pretrained(folder, output_loading_info=True, **options)
    except (OSError, ValueError, KeyError, ImportError) as error:
        advice = "Install it, or name another model" if isinstance(error, ImportError) else "Name another model"
        raise ModelError(f"{role} {shown(folder)}: cannot be loaded ({first_line(error)}). {advice}.") from error
    missing = sorted(info["missing_keys"]) + [str(key) for key in info["mismatched_keys"]]
    if missing:
        raise ModelError(
            f"{role} {shown(folder)}: lacks {shortened(missing)}. Convert its weights to the Hugging Face layout first."
        )
    # A model that is quantised or spread lies where it belongs, and Accelerate's hooks would keep it there.
    return (model if "device_map" in options else model.to(device_of(load))).eval()


def no_text_ids(tokenizer: Any, rows: int, stops: Iterable[int]) -> tuple[int, ...]:
    """Return special tokens except `stops`, and the `rows` of the head beyond the vocabulary.

    A token without a row, such as Mllama's image token, is left out: it cannot be written.
    """
    special = {token for token in special_ids(tokenizer) if token < rows}
    return tuple(sorted((special | set(range(len(tokenizer), rows))) - set(stops)))


def first_line(error: Exception) -> str:
    """Return the first line of what `error` says, of 200 characters at most."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def shortened(names: list[str]) -> str:
    """Return the first three of `names` and how many more there are."""
    text = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return text[:300]
