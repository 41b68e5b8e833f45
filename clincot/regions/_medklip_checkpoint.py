"""The authors' checkpoint file of MedKLIP -> the weights of `MedKlipModel`; missing or unexpected ones are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from clincot.errors import DataError
from clincot.regions._medklip_model import MedKlipModel
from clincot.regions._medklip_names import TABLE, TRAINING_ONLY, authors_name

PREFIX = "module."  # the authors saved from DataParallel


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Return the tensors under key `model`, without the prefix `module.`.

    Only tensors and plain containers are unpickled. Raises DataError for a file that is not such a checkpoint.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file. Name the checkpoint that MedKLIP's authors publish (.pth).") from error
    except (UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        reason = str(error).split("\n")[0][:200] or type(error).__name__
        raise DataError(
            f"{path}: cannot be read as a checkpoint of tensors ({reason}). Download it again; "
            "a pickle that holds more than tensors is never run."
        ) from error
    state = content.get("model") if isinstance(content, dict) else None
    if not isinstance(state, Mapping) or not state:
        raise DataError(f"{path}: has no entry 'model' with weights. Name a checkpoint saved by MedKLIP's training.")
    odd = [name for name, value in state.items() if not isinstance(name, str) or not isinstance(value, Tensor)]
    if odd:
        raise DataError(f"{path}: entry {odd[0]!r} of 'model' is no tensor. Name a checkpoint of MedKLIP.")
    return {name.removeprefix(PREFIX): value for name, value in state.items()}


def fitted(state: Mapping[str, Tensor], model: MedKlipModel, where: object) -> dict[str, Tensor]:
    """Return `state` under the names of `model`; raises DataError naming keys that lack, are too many or do not fit."""
    wanted = {authors_name(name): name for name in model.state_dict() if name != TABLE}
    _refuse(where, "lacks", wanted.keys() - state.keys())
    _refuse(where, "has unexpected", state.keys() - wanted.keys() - TRAINING_ONLY)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    for theirs, ours in wanted.items():
        if tuple(state[theirs].shape) != shapes[ours]:
            raise DataError(
                f"{where}: {theirs} has shape {tuple(state[theirs].shape)}, MedKLIP's is {shapes[ours]}. "
                "Name a checkpoint of MedKLIP with ResNet-50 and 4 decoder layers."
            )
        if not torch.isfinite(state[theirs]).all():
            raise DataError(f"{where}: {theirs} holds numbers that are not finite. Download the file again.")
    kept = {ours: state[theirs] for theirs, ours in wanted.items()}
    return {name: value.float() if value.is_floating_point() else value for name, value in kept.items()}


def _refuse(where: object, how: str, names: Iterable[str]) -> None:
    listed = sorted(names)
    if listed:
        more = f" and {len(listed) - 10} more" if len(listed) > 10 else ""
        raise DataError(
            f"{where}: {how} {', '.join(listed[:10])}{more}. "
            "Name a checkpoint of MedKLIP's pre-training or zero-shot models; fine-tuned ones have other parts."
        )
