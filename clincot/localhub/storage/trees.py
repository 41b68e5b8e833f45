"""A git tree and a set of changed paths -> the new tree; a tree -> its entries with sizes and large-file facts."""

from __future__ import annotations

import stat
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from dulwich.objects import Blob, ObjectID, ShaFile, Tree

from ..problems import bad_request
from .largefiles import Pointer

FILE_MODE = 0o100644
_Row = tuple[bytes, int, ObjectID]


class Objects(Protocol):
    def __getitem__(self, oid: ObjectID) -> ShaFile: ...


@dataclass(frozen=True)
class Entry:
    """One path at one commit; `size` is the real size, `pointer` is set for a large file."""

    path: str
    oid: str
    folder: bool
    size: int = 0
    pointer: Pointer | None = None
    pointer_size: int = 0


class _Sizes:
    """Blob id -> (size, pointer): content-addressed, so it never goes stale; 200,000 blobs are about 40 MB."""

    def __init__(self, capacity: int = 200_000) -> None:
        self.capacity = capacity
        self.known: OrderedDict[ObjectID, tuple[int, Pointer | None]] = OrderedDict()

    def of(self, store: Objects, oid: ObjectID) -> tuple[int, Pointer | None]:
        found = self.known.get(oid)
        if found is None:
            content = blob_bytes(store, oid)
            found = self.known[oid] = (len(content), Pointer.parse(content))
            if len(self.known) > self.capacity:
                self.known.popitem(last=False)
        return found


sizes = _Sizes()


def tree_of(store: Objects, oid: ObjectID) -> Tree:
    found = store[oid]
    if not isinstance(found, Tree):
        raise TypeError(f"{oid!r} is not a tree")
    return found


def blob_bytes(store: Objects, oid: ObjectID) -> bytes:
    found = store[oid]
    return found.as_raw_string() if isinstance(found, Blob) else b""


def find(store: Objects, root: ObjectID, path: bytes) -> tuple[int, ObjectID] | None:
    """(mode, id) of a path, None when absent; the empty path is the root."""
    mode, oid = stat.S_IFDIR, root
    for part in path.split(b"/") if path else ():
        if not stat.S_ISDIR(mode):
            return None
        tree = tree_of(store, oid)
        if part not in tree:
            return None
        mode, oid = tree[part]
    return mode, oid


def walk(store: Objects, root: ObjectID, prefix: bytes = b"", recursive: bool = True) -> Iterator[_Row]:
    """(path, mode, id) of everything below a tree, folders included, in path order."""
    for item in sorted(tree_of(store, root).items(), key=lambda item: item.path):
        path = prefix + item.path
        yield path, item.mode, item.sha
        if recursive and stat.S_ISDIR(item.mode):
            yield from walk(store, item.sha, path + b"/")


def files(store: Objects, root: ObjectID) -> dict[bytes, ObjectID]:
    return {path: oid for path, mode, oid in walk(store, root) if not stat.S_ISDIR(mode)}


class _Stage(Objects, Protocol):
    def add(self, obj: ShaFile) -> ObjectID: ...


def edit(stage: _Stage, root: ObjectID | None, changes: Mapping[bytes, ObjectID | None]) -> ObjectID | None:
    """Apply path -> blob id (None deletes) and return the new tree, None when it became empty."""
    here: dict[bytes, ObjectID | None] = {}
    below: dict[bytes, dict[bytes, ObjectID | None]] = {}
    for path, oid in changes.items():
        name, slash, rest = path.partition(b"/")
        if slash:
            below.setdefault(name, {})[rest] = oid
        else:
            here[name] = oid
    tree = Tree()
    if root is not None:
        for item in tree_of(stage, root).items():
            tree.add(item.path, item.mode, item.sha)
    for name, oid in here.items():
        if oid is None and name in tree and not stat.S_ISDIR(tree[name][0]):
            del tree[name]
    for name, nested in below.items():
        _edit_folder(stage, tree, name, nested)
    for name, oid in here.items():
        if oid is not None:
            _put_file(tree, name, oid)
    return stage.add(tree) if len(tree) else None


def _edit_folder(stage: _Stage, tree: Tree, name: bytes, nested: Mapping[bytes, ObjectID | None]) -> None:
    mode, oid = stat.S_IFDIR, None
    if name in tree:
        mode, oid = tree[name]
    if not stat.S_ISDIR(mode):
        if any(change is not None for change in nested.values()):
            raise bad_request(f"{name.decode()!r} is a file, nothing can be put below it")
        return
    edited = edit(stage, oid, nested)
    if edited is not None:
        tree[name] = (stat.S_IFDIR, edited)
    elif name in tree:
        del tree[name]


def _put_file(tree: Tree, name: bytes, oid: ObjectID) -> None:
    mode = FILE_MODE
    if name in tree:
        if stat.S_ISDIR(tree[name][0]):
            raise bad_request(f"{name.decode()!r} is a folder, a file cannot take its place")
        if stat.S_ISREG(tree[name][0]):
            mode = tree[name][0]
    tree[name] = (mode, oid)
