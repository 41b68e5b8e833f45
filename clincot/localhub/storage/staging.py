"""New git objects of one commit -> durable loose objects or one durable pack, written before any ref names them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from dulwich.file import FileLocked
from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, ObjectID, ShaFile

from ..problems import HubError
from .durable import sync_folder

# One fsync per loose object: beyond this many, one pack (two fsyncs) is faster and still plain git.
LOOSE_OBJECTS = 24
FLUSH_BYTES = 64 * 1024 * 1024
STALE_LOCK_SECONDS = 2.0
Result = TypeVar("Result")


def past_stale_locks(action: Callable[[], Result]) -> Result:
    """Run `action` past git's lock files; those a killed or failed writer left are removed.

    Callers hold the repo's kernel lock, so no living writer of ours owns a `*.lock` file of that repo. Plain git locks
    refs, never objects: a ref's lock counts as left behind after two seconds, an object's at once.
    """
    for _ in range(400):
        try:
            return action()
        except FileLocked as locked:
            _clear(Path(os.fsdecode(locked.lockfilename)))
    raise HubError(503, "The repository is locked by another program. Try again.", headers={"Retry-After": "1"})


def _clear(lock: Path) -> None:
    try:
        if lock.parent.parent.name == "objects" or time.time() - lock.stat().st_mtime > STALE_LOCK_SECONDS:
            lock.unlink()
        else:
            time.sleep(0.02)
    except FileNotFoundError:  # its owner finished meanwhile
        return


class Staging:
    """Objects by id, first the new ones in memory, then those of the repo."""

    def __init__(self, store: DiskObjectStore, durable: bool = True) -> None:
        self.store, self.durable = store, durable
        self.new: dict[ObjectID, ShaFile] = {}
        self.held = 0
        store.fsync_object_files = durable  # dulwich's default is False (core.fsyncObjectFiles)

    def __getitem__(self, oid: ObjectID) -> ShaFile:
        return self.new[oid] if oid in self.new else self.store[oid]

    def add(self, obj: ShaFile) -> ObjectID:
        self.new[obj.id] = obj
        return obj.id

    def add_blob(self, content: bytes) -> ObjectID:
        self.held += len(content)
        oid = self.add(Blob.from_string(content))
        if self.held > FLUSH_BYTES:
            self.flush()
        return oid

    def flush(self) -> None:
        """Write everything staged, then make it durable unless the caller syncs the whole repo itself."""
        missing = [obj for oid, obj in self.new.items() if oid not in self.store]
        if len(missing) > LOOSE_OBJECTS:
            self.store.add_objects([(obj, None) for obj in missing])
        else:
            for obj in missing:
                past_stale_locks(lambda obj=obj: self.store.add_object(obj))  # type: ignore[misc]
        if self.durable:
            self._sync_folders()
        self.new.clear()
        self.held = 0

    def _sync_folders(self) -> None:
        """Also of objects found in place: their writer may have been killed before it synced the folder."""
        root = Path(os.fsdecode(self.store.path))
        loose = {oid: root / oid[:2].decode() for oid in self.new}
        folders = {folder for oid, folder in loose.items() if (folder / oid[2:].decode()).exists()}
        if any(not (folder / oid[2:].decode()).exists() for oid, folder in loose.items()):
            folders.add(root / "pack")
        for folder in sorted(folders):
            sync_folder(folder)
        sync_folder(root)
