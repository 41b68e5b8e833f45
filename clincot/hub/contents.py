"""Files about to be pushed -> refused when unsafe (pickles, odd paths), or compared by oid with what a repo holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from clincot.errors import HubError
from clincot.hub.connection import Content, FileInfo

PICKLES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}
# Pickles that are a model's weights -> the stem of the safetensors that they become (`clincot convert weights`).
PICKLED_WEIGHTS = {"pytorch_model.bin": "model", "adapter_model.bin": "adapter_model"}
PICKLED_INDEX = "pytorch_model.bin.index.json"
CHUNK = 1 << 20


def check_publishable(repo: str, files: Mapping[str, Content]) -> None:
    """Raise HubError for a pickle (loading one runs its code), a path that leaves the repo or an absent file."""
    for path, content in files.items():
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\\" in path:
            raise HubError(f"{repo}: {path!r} is not a path inside a repo. Use relative paths with '/'.")
        if is_pickle(path):
            raise HubError(f"{repo}: {path} is a pickle, which can run code when loaded. Push safetensors only.")
        if isinstance(content, Path) and not content.is_file():
            raise HubError(f"{repo}: {path} should come from {content}, which is no file. Make it and push again.")


def is_pickle(path: str) -> bool:
    """Return whether a path names a file whose loading may run code."""
    return PurePosixPath(path).suffix.lower() in PICKLES


def weights_are_pickled(paths: Iterable[str]) -> bool:
    """Return whether a model's files hold weights as pickles and in no other form."""
    held = set(paths)
    return not any(path.endswith(".safetensors") for path in held) and bool(held & {*PICKLED_WEIGHTS, PICKLED_INDEX})


def size_of(content: Content) -> int:
    """Return the size in bytes."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def same_content(held: FileInfo | None, content: Content) -> bool:
    """Return whether a repo's file has these bytes; sizes are compared first, so that few big files are hashed."""
    if held is None or held.size != size_of(content):
        return False
    if len(held.oid) == 64:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(f"blob {held.size}\0".encode(), usedforsecurity=False)
    if isinstance(content, bytes):
        digest.update(content)
    else:
        with content.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    return digest.hexdigest() == held.oid


def bytes_of(content: Content) -> bytes:
    """Return the bytes of a small file."""
    return content if isinstance(content, bytes) else content.read_bytes()
