"""Streams of large-file bytes -> content by sha256 in one store per Hub, hard-linked into each repo that holds it."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..problems import HubError, bad_request
from .durable import make_folder, sync_folder

OID = re.compile(r"[0-9a-f]{64}")
POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n")


@dataclass(frozen=True)
class Pointer:
    """What git holds in place of a large file."""

    oid: str
    size: int

    def to_bytes(self) -> bytes:
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.oid}\nsize {self.size}\n".encode()

    @classmethod
    def parse(cls, content: bytes) -> Pointer | None:
        match = POINTER.fullmatch(content) if len(content) < 200 else None
        return cls(match[1].decode(), int(match[2])) if match else None


def check_oid(oid: object) -> str:
    if not isinstance(oid, str) or not OID.fullmatch(oid):
        raise bad_request("An LFS oid is 64 lower-case hexadecimal digits (sha256)")
    return oid


def _place(folder: Path, oid: str) -> Path:
    return folder / oid[:2] / oid[2:4] / oid


class LargeFiles:
    """The objects of one Hub folder.

    A repo sees only what is linked into its own `lfs/objects` (git-lfs layout): knowing the sha256 of a
    private file does not open it through another repo.
    """

    def __init__(self, folder: Path) -> None:
        self.shared = folder / "objects"
        self.incoming = folder / "incoming"

    def begin(self, oid: str, size: int) -> Upload:
        make_folder(self.incoming)
        return Upload(self, oid, size)

    def is_stored(self, oid: str) -> bool:
        return _place(self.shared, oid).is_file()

    def place_in(self, repo: Path, oid: str) -> Path:
        """Where `repo` would hold the object; the file exists only if the repo holds it."""
        return _place(repo / "lfs" / "objects", oid)

    def size_of(self, repo: Path, oid: str) -> int:
        """Bytes of an object in the repo or the Hub; FileNotFoundError when it is in neither."""
        place = self.place_in(repo, oid)
        return (place if place.is_file() else _place(self.shared, oid)).stat().st_size

    def link(self, repo: Path, oid: str) -> None:
        """Give the repo the stored object; its name is durable only after `link_all`."""
        target = self.place_in(repo, oid)
        if target.exists():
            return
        make_folder(target.parent)
        try:
            os.link(_place(self.shared, oid), target)
        except FileExistsError:  # another writer was faster: same content
            return
        except PermissionError:  # a file system without hard links (FAT, some network shares)
            _copy(_place(self.shared, oid), target)

    def link_all(self, repo: Path, oids: Iterable[str]) -> None:
        """Give the repo the stored objects, durably: every folder on the way is synced once."""
        folders: set[Path] = set()
        for oid in oids:
            self.link(repo, oid)
            folders.update(parent for parent in self.place_in(repo, oid).parents if parent.is_relative_to(repo))
        for folder in sorted(folders, reverse=True):
            sync_folder(folder)

    def adopt(self, temporary: Path, oid: str) -> None:
        """Rename a checked, synced upload into the shared store."""
        target = _place(self.shared, oid)
        make_folder(target.parent)
        os.replace(temporary, target)
        sync_folder(target.parent)


class Upload:
    """One incoming large file: hashed while it is written, refused unless size and sha256 are as announced."""

    def __init__(self, store: LargeFiles, oid: str, size: int) -> None:
        self.store, self.oid, self.size = store, oid, size
        self.path = store.incoming / secrets.token_hex(12)
        self.file: BinaryIO = open(self.path, "xb")  # noqa: SIM115 (closed by finish or abandon)
        self.digest = hashlib.sha256()
        self.received = 0

    def write(self, chunk: bytes) -> None:
        self.received += len(chunk)
        if self.received > self.size:
            raise HubError(400, f"More than the announced {self.size} bytes were sent for {self.oid}")
        self.digest.update(chunk)
        self.file.write(chunk)

    def finish(self) -> None:
        if self.received != self.size:
            raise HubError(400, f"{self.received} of {self.size} bytes were sent for {self.oid}")
        if self.digest.hexdigest() != self.oid:
            raise HubError(400, f"The sha256 of the bytes sent is {self.digest.hexdigest()}, not {self.oid}")
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self.store.adopt(self.path, self.oid)

    def abandon(self) -> None:
        try:
            self.file.close()  # writes what is buffered, which a full disk refuses
        finally:
            self.path.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    temporary = target.with_name(f"{target.name}.{secrets.token_hex(6)}")
    shutil.copyfile(source, temporary)
    with open(temporary, "rb") as file:
        os.fsync(file.fileno())
    os.replace(temporary, target)
