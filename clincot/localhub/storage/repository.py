"""One bare git repository on disk -> its refs, commits, entries and file contents, for reading and locked writing."""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Commit, ObjectID, Tag
from dulwich.refs import DiskRefsContainer, Ref

from ..names import check_ref
from ..problems import HubError, entry_not_found, repo_not_found, revision_not_found
from . import trees
from .durable import exclusive, sync_chain
from .facts import Facts, load_facts
from .largefiles import LargeFiles, Pointer
from .staging import past_stale_locks
from .sweeping import LOCK

MAIN = b"refs/heads/main"
KNOWN_REFS = ("refs/heads/", "refs/tags/", "refs/pr/", "refs/convert/")


class Repository:
    """A handle for one request; opening costs well under a millisecond, so handles are never shared."""

    def __init__(self, folder: Path, large: LargeFiles) -> None:
        self.folder = folder
        self.large = large
        self.facts: Facts = load_facts(folder)
        self.objects = DiskObjectStore(folder / "objects")
        self.refs = DiskRefsContainer(folder)

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *failure: object) -> None:
        self.objects.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The only writer of this repo, in any process; facts are read again under the lock."""
        try:
            with exclusive(self.folder / LOCK):
                self.facts = load_facts(self.folder)
                yield
        except FileNotFoundError as error:
            if (self.folder / LOCK).exists():
                raise
            raise repo_not_found(anonymous=False) from error

    # -- refs ---------------------------------------------------------------------------------------------------
    def head(self, ref: bytes) -> ObjectID | None:
        """The commit a ref names (tags peeled), None when there is no such ref."""
        oid = self.refs.read_ref(Ref(ref))
        return self._peel(ObjectID(oid)) if oid else None

    def names(self, folder: str) -> dict[str, str]:
        """Short ref name -> commit, sorted."""
        found = self.refs.as_dict(Ref(folder.rstrip("/").encode()))
        peeled = {name.decode(errors="replace"): self._peel(oid) for name, oid in found.items()}
        return {name: oid.decode() for name, oid in sorted(peeled.items()) if oid is not None}

    def move(self, ref: bytes, old: ObjectID | None, new: ObjectID) -> bool:
        """Point a ref from `old` (None: it must not exist) to `new`, durably; False when it was elsewhere."""
        if old is None:
            moved = past_stale_locks(lambda: self.refs.add_if_new(Ref(ref), new))
        else:
            moved = past_stale_locks(lambda: self.refs.set_if_equals(Ref(ref), old, new))
        if moved:
            self._sync_ref(ref)
        return moved

    def drop(self, ref: bytes) -> None:
        past_stale_locks(lambda: self.refs.remove_if_equals(Ref(ref), None))
        self._sync_ref(ref)

    def _sync_ref(self, ref: bytes) -> None:
        folder = (self.folder / ref.decode()).parent
        while not folder.is_dir():
            folder = folder.parent
        sync_chain(folder, self.folder / "refs")

    def _peel(self, oid: ObjectID) -> ObjectID | None:
        for _ in range(10):
            if oid not in self.objects:
                return None
            found = self.objects[oid]
            if isinstance(found, Commit):
                return oid
            if not isinstance(found, Tag):
                return None
            oid = found.object[1]
        return None

    # -- revisions ----------------------------------------------------------------------------------------------
    def resolve(self, revision: str) -> ObjectID:
        """Branch, tag, refs/…, full sha, or an unambiguous prefix of at least 7 hex digits -> commit id."""
        folders = ("",) if revision.startswith(KNOWN_REFS) else ("refs/heads/", "refs/tags/")
        for folder in folders:
            try:
                found = self.head(check_ref(folder, revision))
            except HubError:  # no legal ref name: it may still not be a sha either, so go on to the 404
                found = None
            if found is not None:
                return found
        if re.fullmatch(r"[0-9a-f]{7,40}", revision):
            matches = [self._peel(oid) for oid in self._with_prefix(revision.encode())]
            commits = [oid for oid in matches if oid is not None]
            if len(commits) == 1:
                return commits[0]
        raise revision_not_found(revision)

    def _with_prefix(self, prefix: bytes) -> list[ObjectID]:
        if len(prefix) == 40:
            return [ObjectID(prefix)]
        return list(self.objects.iter_prefix(prefix))

    def commit(self, oid: ObjectID) -> Commit:
        found = self.objects[oid]
        if not isinstance(found, Commit):
            raise TypeError(f"{oid!r} is not a commit")
        return found

    # -- contents -----------------------------------------------------------------------------------------------
    def entry(self, commit: ObjectID, path: bytes) -> trees.Entry | None:
        found = trees.find(self.objects, self.commit(commit).tree, path)
        return self._entry(path, *found) if found else None

    def entries(self, commit: ObjectID, path: bytes = b"", recursive: bool = True) -> list[trees.Entry]:
        """Everything below a folder, folders included, sorted by path; EntryNotFound when it is no folder."""
        found = trees.find(self.objects, self.commit(commit).tree, path)
        if found is None or not stat.S_ISDIR(found[0]):
            raise entry_not_found(path.decode(errors="replace"), commit.decode())
        prefix = path + b"/" if path else b""
        rows = [self._entry(*row) for row in trees.walk(self.objects, found[1], prefix, recursive)]
        return sorted(rows, key=lambda entry: entry.path)

    def paths(self, commit: ObjectID) -> list[str]:
        return sorted(path.decode(errors="replace") for path in trees.files(self.objects, self.commit(commit).tree))

    def read(self, commit: ObjectID, path: bytes) -> bytes | None:
        """The content of a regular file (of a large one: its pointer), None when absent."""
        found = trees.find(self.objects, self.commit(commit).tree, path)
        return trees.blob_bytes(self.objects, found[1]) if found and not stat.S_ISDIR(found[0]) else None

    def large_file(self, pointer: Pointer) -> Path | None:
        """The file behind a pointer, None when this repo does not hold it (then the pointer is plain text)."""
        path = self.large.place_in(self.folder, pointer.oid)
        return path if path.is_file() else None

    def _entry(self, path: bytes, mode: int, oid: ObjectID) -> trees.Entry:
        name, sha = path.decode(errors="replace"), oid.decode()
        if stat.S_ISDIR(mode):
            return trees.Entry(name, sha, folder=True)
        if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):  # a submodule has no content here
            return trees.Entry(name, sha, folder=False)
        size, pointer = trees.sizes.of(self.objects, oid)
        if pointer is None or self.large_file(pointer) is None:
            return trees.Entry(name, sha, folder=False, size=size)
        return trees.Entry(name, sha, False, pointer.size, pointer, pointer_size=size)


def iso(seconds: float | None = None) -> str:
    """The one date form every client parses (docs/hub.md#protocol)."""
    moment = time.time() if seconds is None else seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"
