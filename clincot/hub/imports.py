"""A repo of another Hub at a pinned revision, or a folder -> the same files in a repo of this Hub, as one commit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from clincot.errors import HubError
from clincot.hub import pull
from clincot.hub.client import Hub
from clincot.hub.contents import PICKLES
from clincot.hub.licences import refuse_credentialed
from clincot.records.lineage import Kind, Pin

# What tools leave in a folder; no part of a dataset or model.
LEFT_OUT = {".git", ".cache", "__pycache__", ".DS_Store", ".gitattributes"}
MODEL_FILES = ("config.json", "adapter_config.json")
EVERYTHING = ("",)


@dataclass(frozen=True)
class Imported:
    """The pin of the copy, and the paths of pickles that were left behind."""

    pin: Pin
    skipped: tuple[str, ...]


def import_repo(source: Hub, target: Hub, pin: Pin, name: str, tag: str | None) -> Imported:
    """Copy `pin` of `source` to the repo `name` of `target`, which then holds that version's files and no others.

    Pickles stay behind: loading one runs its code. Raises HubError when nothing else is there, TagExists.
    """
    _check_name(pin.kind, name)
    held = source.list_files(pin)
    skipped = tuple(sorted(path for path in held if is_pickle(path)))
    found = pull.info(source, pin.kind, pin.repo)
    copy = target.mirror(
        source,
        pin.kind,
        pin,
        name,
        tag=tag,
        private=bool(found is not None and found.private),
        select=lambda path: not is_pickle(path),
        replace=EVERYTHING,
    )
    return Imported(copy, skipped)


def import_folder(folder: Path, target: Hub, kind: Kind, name: str, tag: str | None) -> Imported:
    """Put the files below `folder` into the repo `name` of `target`, which then holds them and no others."""
    _check_name(kind, name)
    files = folder_files(folder)
    kept = {path: local for path, local in files.items() if not is_pickle(path)}
    if not kept:
        raise HubError(f"{folder}: holds no file to import. Name the folder of a dataset or model.")
    message = f"Import the folder {folder.resolve().name}"
    pin = target.publish(kind, name, dict(kept), tag=tag, message=message, private=False, replace=EVERYTHING)
    return Imported(pin, tuple(sorted(files.keys() - kept.keys())))


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


def is_pickle(path: str) -> bool:
    """Return whether a path names a file whose loading may run code."""
    return PurePosixPath(path).suffix.lower() in PICKLES


def _check_name(kind: Kind, name: str) -> None:
    if not pull.REPO_ID.fullmatch(name):
        raise HubError(f"{name!r}: is no repo id. Give --as NAMESPACE/NAME.")
    if kind == "dataset":
        refuse_credentialed(name)
