"""Tensors with their new names -> safetensors files and their index; one file's tensors are in memory at once."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from clincot.convert.stored import Stored
from clincot.errors import DataError, DiskFull
from clincot.records.atomic import new_folder

LIMIT = 2**30  # bytes of tensors in a file: what is in memory at once, with one tensor more
SPARE = 2**25  # bytes of the other files of a model: tokenizer, configuration
Load = Callable[[], dict[str, torch.Tensor]]


class Sized(Protocol):
    """Something with a size in `bytes`."""

    @property
    def bytes(self) -> int:
        """The size of the values."""
        ...


Item = TypeVar("Item", bound=Sized)


@dataclass(frozen=True)
class Move:
    """A stored tensor, its new name, the dtype it gets and the `rows` it grows to (0: as many as it has)."""

    source: Stored
    name: str
    dtype: torch.dtype
    rows: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that is written."""
        return (self.rows, *self.source.shape[1:]) if self.rows else self.source.shape

    @property
    def bytes(self) -> int:
        """The size of the values that are written."""
        return math.prod(self.shape) * self.dtype.itemsize


@contextmanager
def new_model(out: Path, need: int) -> Iterator[Path]:
    """Yield a temporary folder that becomes `out` when all went well. Raises DataError, DiskFull before any work.

    `need`: the bytes of weights that will be written.
    """
    refuse_full(out)
    parent = next(folder for folder in out.absolute().parents if folder.exists())
    free = shutil.disk_usage(parent).free
    if free < need + SPARE:
        raise DiskFull(
            f"{out}: needs {(need + SPARE) / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free."
            " Free space or give another folder."
        )
    try:
        with new_folder(out) as folder:
            yield folder
    except OSError as error:
        raise DiskFull(f"{out}: cannot be written ({error}). Free space or give another folder.") from error


def refuse_full(out: Path) -> None:
    """Raise DataError where `out` is something else than a new or empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: is not an empty folder. Name a new one.")


def loads(moves: Sequence[Move], limit: int = LIMIT) -> list[Load]:
    """Return a function for each file of about `limit` bytes that returns its tensors, in the order of `moves`."""
    return [partial(_load, group) for group in grouped(moves, limit)]


def grouped(items: Sequence[Item], limit: int = LIMIT) -> list[list[Item]]:
    """Return `items` in their order, in groups of at most `limit` bytes; a larger item is a group alone."""
    groups: list[list[Item]] = [[]]
    room = limit
    for item in items:
        if groups[-1] and item.bytes > room:
            groups.append([])
            room = limit
        groups[-1].append(item)
        room -= item.bytes
    return groups


def write(files: Sequence[Load], folder: Path, stem: str = "model") -> int:
    """Write one file for each of `files`, and their index where there are several; return the bytes of the tensors.

    The names begin with `stem`.
    """
    places: dict[str, str] = {}
    size = 0
    for number, load in enumerate(files, 1):
        name = f"{stem}-{number:05d}-of-{len(files):05d}.safetensors" if len(files) > 1 else f"{stem}.safetensors"
        tensors = load()
        try:
            save_file(tensors, folder / name, metadata={"format": "pt"})
        except SafetensorError as error:  # what safetensors makes of a full disk
            raise OSError(str(error)) from error
        places |= dict.fromkeys(tensors, name)
        size += sum(tensor.nbytes for tensor in tensors.values())
    if len(files) > 1:
        index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(places.items()))}
        (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    return size


def _load(moves: Sequence[Move]) -> dict[str, torch.Tensor]:
    tensors = {}
    for file, group in groupby(moves, key=lambda move: move.source.file):
        with safe_open(file, "pt") as opened:
            for move in group:
                tensors[move.name] = _grown(opened.get_tensor(move.source.name), move.rows).to(move.dtype).contiguous()
    return tensors


def _grown(table: torch.Tensor, rows: int) -> torch.Tensor:
    """Append the mean of the rows until there are `rows`: their logits then lie in the middle of the others."""
    if rows <= len(table):
        return table
    mean = table.float().mean(0, keepdim=True).to(table.dtype)
    return torch.cat([table, mean.expand(rows - len(table), -1)])
