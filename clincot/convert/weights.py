"""A folder whose weights are pickles -> the same model with safetensors; only tensors are unpickled, never code."""

from __future__ import annotations

import pickle
import shutil
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from clincot.convert import shards
from clincot.convert.stored import read_json
from clincot.errors import ModelError
from clincot.hub.contents import PICKLED_INDEX, PICKLED_WEIGHTS, PICKLES
from clincot.lm.loading import first_line
from clincot.records.lineage import shown

LEFT = PICKLES | {".h5", ".msgpack"}  # what is not copied: weights of other libraries too


@dataclass(frozen=True)
class Written:
    """The tensors written, their bytes, the files, and the paths of other pickles that were left behind."""

    tensors: int
    bytes: int
    files: int
    left: tuple[str, ...]


@dataclass(frozen=True)
class _Tensor:
    name: str
    value: torch.Tensor

    @property
    def bytes(self) -> int:
        """The size of the values."""
        return self.value.nbytes


def convert(source: Path, out: Path) -> Written:
    """Write `out`: the files of `source`, with safetensors in place of its pickled weights.

    A file is mapped, not read, where it is of the zip format (torch 1.6 and later). Tensors that share memory are
    written each on its own. Raises ModelError for pickles that hold something else than tensors or are not whole,
    DataError where `out` holds something, DiskFull; `out` is whole or absent.
    """
    shards.refuse_full(out)
    files = _pickles(source)
    tensors = [_Tensor(name, value) for file in files for name, value in _unpickled(file).items()]
    names = [tensor.name for tensor in tensors]
    if len(set(names)) < len(names):
        raise ModelError(f"{shown(source)}: its files of weights hold a tensor twice. Download the model again.")
    groups = [partial(_separate, group) for group in shards.grouped(tensors)]
    with shards.new_model(out, sum(tensor.bytes for tensor in tensors)) as folder:
        size = shards.write(groups, folder, stem=PICKLED_WEIGHTS.get(files[0].name, "model"))
        left = _copy(source, folder, {file.name for file in files})
    return Written(len(tensors), size, len(groups), left)


def _pickles(source: Path) -> list[Path]:
    """Return the files of the weights in `source`, all of which are there."""
    if not source.is_dir():
        raise ModelError(f"{source}: no such folder. Name the folder of a model.")
    if any(source.glob("*.safetensors")):
        raise ModelError(f"{shown(source)}: has safetensors already; nothing is to be converted.")
    index = source / PICKLED_INDEX
    if index.is_file():
        weights = read_json(index).get("weight_map")
        if not isinstance(weights, dict) or not weights:
            raise ModelError(f"{index}: has no weight_map. Download the model again.")
        names = sorted(set(weights.values()))
    else:
        names = [name for name in PICKLED_WEIGHTS if (source / name).is_file()][:1]
    if not names:
        raise ModelError(f"{shown(source)}: has no {' or '.join(PICKLED_WEIGHTS)}. Name the folder of a model.")
    if absent := [name for name in names if not (source / name).is_file()]:
        raise ModelError(
            f"{shown(source)}: lacks {len(absent)} of its {len(names)} files of weights ({absent[0]})."
            " Download the model again."
        )
    return [source / name for name in names]


def _unpickled(file: Path) -> dict[str, torch.Tensor]:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{file}: holds more than tensors, or is damaged; unpickling it could run code ({first_line(error)})."
            " Take weights from elsewhere."
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ModelError(f"{file}: cannot be read ({first_line(error)}). Download it again.") from error
    if not isinstance(content, dict) or not content:
        raise ModelError(f"{file}: holds a {type(content).__name__}, no table of tensors. Name a model's weights.")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise ModelError(f"{file}: {name} is a {type(value).__name__}, no tensor. Name a model's weights.")
        if value.layout != torch.strided or value.is_quantized:
            raise ModelError(f"{file}: {name} is sparse or quantised. Name an unquantised model.")
    return content


def _separate(tensors: list[_Tensor]) -> dict[str, torch.Tensor]:
    return {tensor.name: tensor.value.detach().clone(memory_format=torch.contiguous_format) for tensor in tensors}


def _copy(source: Path, folder: Path, converted: set[str]) -> tuple[str, ...]:
    """Copy every file but pickles; return the paths of those that are not `converted`."""
    left = []
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if not path.is_file() or ".git" in inside.parts or ".cache" in inside.parts:
            continue
        if path.suffix.lower() in LEFT:
            left += [inside.as_posix()] * (inside.as_posix() not in converted)
        elif not path.name.endswith(".bin.index.json"):
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / inside)
    return tuple(left)
