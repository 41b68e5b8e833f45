"""A folder of an embedded Hub -> every file of every commit of its repositories, read from git itself."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import Repo


class Held(NamedTuple):
    """One file of one commit."""

    repo: str
    path: str
    data: bytes


def every_file(hub: Path, but: str = "") -> Iterator[Held]:
    """Yield the files of all commits in the object stores (named by a ref or not), large ones followed."""
    for facts in sorted((hub / "repos").rglob("*.git")):
        name = "/".join(facts.parts[-2:]).removesuffix(".git")
        if name == but:
            continue
        with Repo(str(facts)) as repo:
            commits = [repo[sha] for sha in repo.object_store if isinstance(repo[sha], Commit)]
            for commit in commits:
                assert isinstance(commit, Commit)
                for path, data in _walk(repo, commit.tree, ""):
                    yield Held(name, path, _large(hub, data))


def words_and_pictures(held: Held) -> tuple[str, list[bytes]]:
    """Return all text of a file and all byte strings of its rows (or the file itself when it is an image)."""
    if held.path.endswith(".parquet"):
        texts: list[str] = []
        pictures: list[bytes] = []
        _collect(pq.read_table(io.BytesIO(held.data)).to_pylist(), texts, pictures)
        return "\n".join(texts), pictures
    pictures = [held.data] if held.data.startswith((b"\x89PNG", b"\xff\xd8")) else []
    return held.data.decode(errors="replace"), pictures


def _collect(value: Any, texts: list[str], pictures: list[bytes]) -> None:
    if isinstance(value, bytes):
        pictures.append(value)
    elif isinstance(value, str):
        texts.append(json.dumps(json.loads(value), ensure_ascii=False) if value.startswith(("[", "{")) else value)
    elif isinstance(value, dict):
        for entry in value.values():
            _collect(entry, texts, pictures)
    elif isinstance(value, list):
        for entry in value:
            _collect(entry, texts, pictures)


def _walk(repo: Repo, tree: bytes, prefix: str) -> Iterator[tuple[str, bytes]]:
    found = repo[tree]
    assert isinstance(found, Tree)
    for entry in found.items():
        path = prefix + entry.path.decode()
        child = repo[entry.sha]
        if isinstance(child, Blob):
            yield path, child.data
        else:
            yield from _walk(repo, entry.sha, f"{path}/")


def _large(hub: Path, data: bytes) -> bytes:
    if not data.startswith(b"version https://git-lfs.github.com/spec/v1"):
        return data
    oid = data.split(b"sha256:")[1][:64].decode()
    return (hub / "lfs/objects" / oid[:2] / oid[2:4] / oid).read_bytes()
