"""The folder of a model -> the tensors in its safetensors files, by name, read from the headers alone."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from clincot.errors import ModelError
from clincot.records.lineage import shown

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


@dataclass(frozen=True)
class Stored:
    """A tensor in a file: its `shape` and `dtype`, without its values."""

    file: Path
    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def bytes(self) -> int:
        """The size of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


def stored(folder: Path) -> dict[str, Stored]:
    """Return every tensor of `folder`, in the order of its files. Raises ModelError where a file is absent or cut."""
    found: dict[str, Stored] = {}
    for file in _files(folder):
        found |= {tensor.name: tensor for tensor in _headers(file)}
    index = _index(folder)
    if lost := sorted(set(index) - set(found)):
        raise ModelError(f"{shown(folder)}: its index names {lost[0]}, which no file holds. Download the model again.")
    return found


def read_json(path: Path) -> dict[str, object]:
    """Return the object in a JSON file. Raises ModelError for a file that is absent or holds no object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file. Name the folder of a model, with its configuration.") from None
    except ValueError as error:
        raise ModelError(f"{path}: is no JSON ({error}). Download the model again.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: holds no JSON object. Download the model again.")
    return content


def _index(folder: Path) -> dict[str, str]:
    path = folder / "model.safetensors.index.json"
    weights = read_json(path).get("weight_map") if path.is_file() else {}
    if not isinstance(weights, dict):
        raise ModelError(f"{path}: has no weight_map. Download the model again.")
    return weights


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder. Name the folder of a model.")
    names = sorted(set(_index(folder).values())) or sorted(path.name for path in folder.glob("*.safetensors"))
    if not names:
        pickled = any(folder.glob("*.bin"))
        advice = "Convert them: `clincot convert weights`." if pickled else "Name the folder of a model."
        raise ModelError(f"{shown(folder)}: holds {'pickled weights only' if pickled else 'no weights'}. {advice}")
    if absent := [name for name in names if not (folder / name).is_file()]:
        raise ModelError(
            f"{shown(folder)}: lacks {len(absent)} of its {len(names)} files of weights ({absent[0]})."
            " Download the model again."
        )
    return [folder / name for name in names]


def _headers(file: Path) -> Iterator[Stored]:
    try:
        with safe_open(file, "pt") as opened:
            for name in opened.keys():  # noqa: SIM118 (the object is no mapping)
                part = opened.get_slice(name)
                if part.get_dtype() not in DTYPES:
                    raise ModelError(f"{file}: {name} is stored as {part.get_dtype()}. Name an unquantised model.")
                yield Stored(file, name, tuple(part.get_shape()), DTYPES[part.get_dtype()])
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{file}: cannot be read ({error}); it may be cut off. Download the model again.") from error
