"""Folders of a model and of an adapter -> nothing, or an error for weights that are cut, missing or of another base."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from clincot.errors import ModelError
from clincot.records.lineage import shown

ADAPTER_WEIGHTS = "adapter_model.safetensors"
AGAIN = "Download or copy it again."


def refuse_half(folder: Path, role: str) -> None:
    """Raise ModelError where a shard that the index names is missing or a file of safetensors is cut; reads headers."""
    where = f"{role} {shown(folder)}"
    for index in sorted(folder.glob("*.safetensors.index.json")):
        try:
            named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError) as error:
            raise ModelError(f"{where}: {index.name} is no index of weights ({error}). {AGAIN}") from error
        missing = sorted(name for name in named if not (folder / name).is_file())
        if missing:
            raise ModelError(
                f"{where}: half of a checkpoint, {missing[0]} is missing ({len(missing)} of {len(named)} files that"
                f" {index.name} names). {AGAIN}"
            )
    for path in sorted(folder.glob("*.safetensors")):
        if (wanted := _whole_size(path)) != path.stat().st_size:
            size = path.stat().st_size
            said = f"has {size:,} bytes of {wanted:,}" if wanted else f"has no header in its {size:,} bytes"
            raise ModelError(f"{where}: {path.name} is cut, it {said}. {AGAIN}")


def _whole_size(path: Path) -> int:
    """Return how many bytes the file has by its own header, 0 where the header cannot be read."""
    with path.open("rb") as stream:
        first = stream.read(8)
        length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
        if not 0 < length < path.stat().st_size:
            return 0
        try:
            header = json.loads(stream.read(length))
        except ValueError:
            return 0
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return int(8 + length + max(ends, default=0))


def refuse_other_base(model: Any, adapter: Path, base: str | Path) -> None:
    """Raise ModelError where a LoRA adapter has weights for modules that `model` lacks or of another size.

    `model` may have no weights (the meta device). PEFT would leave out what it finds no module for.
    """
    where = f"adapter {shown(adapter)}"
    try:
        with safe_open(adapter / ADAPTER_WEIGHTS, "np") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{where}: {ADAPTER_WEIGHTS} cannot be read ({error}). {AGAIN}") from error
    modules = dict(model.named_modules())
    parameters = {name: tuple(value.shape) for name, value in model.named_parameters(remove_duplicate=False)}
    if not any(_module(name)[0] in modules for name in shapes):
        return  # names of an older transformers, which PEFT may know
    for name, shape in shapes.items():
        path, part = _module(name)
        if not part:  # a module that is trained whole
            _compare(where, base, path, shape, parameters.get(path))
            continue
        module: Any = modules.get(path)
        if part.startswith("A.") and hasattr(module, "in_features"):
            _compare(where, base, f"{path} (inputs)", shape[1:], (module.in_features,))
        elif part.startswith("B.") and hasattr(module, "out_features"):
            _compare(where, base, f"{path} (outputs)", shape[:1], (module.out_features,))
        elif module is None:
            _compare(where, base, path, shape, None)


def _module(name: str) -> tuple[str, str]:
    """Return the module that a LoRA weight belongs to and which of its weights it is; "" for a weight of the model."""
    path, _, part = name.removeprefix("base_model.model.").partition(".lora_")
    return path, part


def _compare(where: str, base: str | Path, name: str, found: tuple[int, ...], wanted: tuple[int, ...] | None) -> None:
    if found == wanted:
        return
    differs = (
        "which this base lacks" if wanted is None else f"of size {_size(found)}, and the base's is {_size(wanted)}"
    )
    raise ModelError(
        f"{where}: of another base than {shown(base)}: it changes {name}, {differs}. Name the base that it was trained"
        " on."
    )


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
