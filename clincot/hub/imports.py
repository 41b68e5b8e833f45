"""A repo of another Hub at a pinned revision, or a folder -> the same files in a repo of this Hub, as one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from clincot.errors import HubError
from clincot.hub import pull
from clincot.hub.client import Hub
from clincot.hub.contents import PICKLED_WEIGHTS, is_pickle, weights_are_pickled
from clincot.hub.licences import refuse_credentialed
from clincot.records.lineage import Kind, Pin

# What tools leave in a folder; no part of a dataset or model.
LEFT_OUT = {".git", ".cache", "__pycache__", ".DS_Store", ".gitattributes"}
MODEL_FILES = ("config.json", "adapter_config.json")
EVERYTHING = ("",)
# Writes the second folder, which is the first one with its pickled weights as safetensors; returns the paths of other
# pickles, which it leaves behind.
Convert = Callable[[Path, Path], Sequence[str]]


@dataclass(frozen=True)
class Imported:
    """The pin of the copy, the paths of pickles that were left behind, and whether weights were `converted`."""

    pin: Pin
    skipped: tuple[str, ...]
    converted: bool = False


@dataclass(frozen=True)
class Copy:
    """What to import: the repo `name` and `tag` of `target`, and what turns pickled weights into safetensors."""

    target: Hub
    kind: Kind
    name: str
    tag: str | None
    convert: Convert

    def publish(self, files: dict[str, Path], message: str, private: bool) -> Pin:
        """Commit `files`; the repo then holds no others. Raises TagExists."""
        return self.target.publish(
            self.kind, self.name, dict(files), tag=self.tag, message=message, private=private, replace=EVERYTHING
        )

    def publish_converted(self, folder: Path, message: str, private: bool) -> Imported:
        """Commit the files of `folder` with its pickled weights as safetensors.

        Raises ModelError for pickles that hold something else than tensors, DiskFull.
        """
        with TemporaryDirectory(prefix="clincot-import-") as parent:
            out = Path(parent) / "model"
            left = self.convert(folder, out)
            pin = self.publish(folder_files(out), f"{message}, weights as safetensors", private)
        return Imported(pin, tuple(left), converted=True)


def import_repo(source: Hub, pin: Pin, copy: Copy) -> Imported:
    """Copy `pin` of `source`: the repo of `copy` then holds that version's files and no others.

    Pickled weights of a model become safetensors where it has no others. Other pickles stay behind: loading one runs
    its code. Raises HubError when nothing else is there, TagExists, ModelError.
    """
    _check_name(pin.kind, copy.name)
    held = source.list_files(pin)
    found = pull.info(source, pin.kind, pin.repo)
    private = bool(found is not None and found.private)
    if pin.kind == "model" and weights_are_pickled(held):
        wanted = [path for path in held if not is_pickle(path) or _is_weights(path)]
        folder = source.snapshot(pin, [pull.literal(path) for path in wanted])
        done = copy.publish_converted(folder, f"{copy.tag or pin.revision} ({pin.sha[:12]})", private)
        return replace(done, skipped=tuple(sorted({*done.skipped, *held.keys() - set(wanted)})))
    made = copy.target.mirror(
        source,
        pin.kind,
        pin,
        copy.name,
        tag=copy.tag,
        private=private,
        select=lambda path: not is_pickle(path),
        replace=EVERYTHING,
    )
    return Imported(made, tuple(sorted(path for path in held if is_pickle(path))))


def import_folder(folder: Path, copy: Copy) -> Imported:
    """Put the files below `folder` into the repo of `copy`, which then holds them and no others.

    Pickled weights of a model become safetensors where it has no others. Raises HubError, TagExists, ModelError.
    """
    _check_name(copy.kind, copy.name)
    files = folder_files(folder)
    message = f"Import the folder {folder.resolve().name}"
    if copy.kind == "model" and weights_are_pickled(files):
        return copy.publish_converted(folder, message, False)
    kept = {path: local for path, local in files.items() if not is_pickle(path)}
    if not kept:
        raise HubError(f"{folder}: holds no file to import. Name the folder of a dataset or model.")
    return Imported(copy.publish(kept, message, False), tuple(sorted(files.keys() - kept.keys())))


def folder_files(folder: Path) -> dict[str, Path]:
    """Return path in the repo -> file for everything below `folder` but what tools leave there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not LEFT_OUT & set(inside.parts):
            found[inside.as_posix()] = path
    return found


def kind_of_folder(folder: Path) -> Kind:
    """Return what a folder holds: a model where its configuration lies at the top, else a dataset."""
    return "model" if any((folder / name).is_file() for name in MODEL_FILES) else "dataset"


def _is_weights(path: str) -> bool:
    """Return whether a pickle at the top of a repo is one of its files of weights."""
    return path.startswith(tuple(name.removesuffix(".bin") for name in PICKLED_WEIGHTS)) and path.endswith(".bin")


def _check_name(kind: Kind, name: str) -> None:
    if not pull.REPO_ID.fullmatch(name):
        raise HubError(f"{name!r}: is no repo id. Give --as NAMESPACE/NAME.")
    if kind == "dataset":
        refuse_credentialed(name)
