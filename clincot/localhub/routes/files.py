"""A repo, a revision and a path -> the file's bytes, whole or in part, with the headers caches are built on."""

from __future__ import annotations

import re
import stat

from starlette.responses import FileResponse, Response

from ..problems import entry_not_found
from ..storage import trees
from ..storage.repository import Repository
from .call import Call

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
BINARY = "application/octet-stream"


def resolve(call: Call) -> Response:
    """200, 206 or 416; large files stream from disk, regular ones (a few MB at most) come from git."""
    with call.reads(contents=True) as repo:
        commit = repo.resolve(call.revision)
        headers = {"X-Repo-Commit": commit.decode(), "Accept-Ranges": "bytes"}
        found = trees.find(repo.objects, repo.commit(commit).tree, call.path)
        if found is None or stat.S_ISDIR(found[0]):
            raise entry_not_found(call.path.decode(), commit.decode())
        entry = repo.entry(commit, call.path)
        assert entry is not None  # found just above in the same immutable commit
        if entry.pointer is None:
            content = trees.blob_bytes(repo.objects, found[1])
            return _bytes(call, content, headers | {"ETag": f'"{entry.oid}"'})
        return _large(repo, entry, headers)


def _large(repo: Repository, entry: trees.Entry, headers: dict[str, str]) -> Response:
    assert entry.pointer is not None
    linked = {"ETag": f'"{entry.pointer.oid}"', "X-Linked-Etag": f'"{entry.pointer.oid}"'}
    linked["X-Linked-Size"] = str(entry.size)
    path = repo.large.place_in(repo.folder, entry.pointer.oid)
    return FileResponse(path, headers=headers | linked, media_type=BINARY)


def _bytes(call: Call, content: bytes, headers: dict[str, str]) -> Response:
    wanted = call.request.headers.get("range")
    condition = call.request.headers.get("if-range")
    match = RANGE.fullmatch(wanted.strip()) if wanted else None
    if match is None or not any(match.groups()) or condition not in (None, headers["ETag"]):
        return Response(content, headers=headers, media_type=BINARY)
    first, last = _span(match, len(content))
    if first >= len(content) or first > last:
        return Response(b"", 416, headers | {"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], 206, headers, media_type=BINARY)


def _span(match: re.Match[str], size: int) -> tuple[int, int]:
    """First and last byte, both included; `-n` means the last n bytes."""
    if not match[1]:
        return max(size - int(match[2]), 0), size - 1
    return int(match[1]), min(int(match[2] or size), size - 1)
