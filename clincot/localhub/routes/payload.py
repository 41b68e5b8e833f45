"""The NDJSON body of a commit request -> a checked header and edits, blobs staged, large files taken into the repo."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from ..cards.rules import Review, review_card
from ..names import check_path
from ..problems import HubError, bad_request, too_large
from ..storage.commits import Drop, Note, Put
from ..storage.largefiles import Pointer, check_oid
from ..storage.repository import Repository
from ..storage.staging import Staging
from .call import Call, only, text_field
from .lfs import holds

MAX_LINE = 64 * 1024 * 1024
CARD = "README.md"
KEYS = ("file", "lfsFile", "deletedFile", "deletedFolder")
FIELDS = ("path", "content", "encoding", "algo", "oid", "size")


@dataclass(frozen=True)
class Payload:
    note: Note
    parent: str | None
    edits: list[Put | Drop]


def read_payload(call: Call, repo: Repository, stage: Staging, body: BinaryIO) -> Payload:
    """Raises 400 on anything malformed, before a ref or a branch is looked at."""
    lines = _lines(body)
    key, header = next(lines, ("", {}))
    if key != "header":
        raise bad_request("The first line of a commit must be its header")
    only(header, "summary", "description", "parentCommit")
    parent = text_field(header, "parentCommit") or None
    note = Note(call.caller.name, text_field(header, "summary"), text_field(header, "description"))
    oids: set[str] = set()
    with repo.locked():  # blobs of a big commit are written while it is read
        edits = [_edit(call, repo, stage, key, value, oids) for key, value in lines]
        repo.large.link_all(repo.folder, oids)
    return Payload(note, parent, edits)


def _lines(body: BinaryIO) -> Iterator[tuple[str, dict[str, Any]]]:
    while line := body.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise too_large("One line of the commit", MAX_LINE)
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise bad_request("A line of the commit is not JSON") from error
        if not isinstance(row, dict) or not isinstance(row.get("value"), dict) or not isinstance(row.get("key"), str):
            raise bad_request("A line of the commit must be {key, value}")
        yield row["key"], row["value"]


def _edit(call: Call, repo: Repository, stage: Staging, key: str, value: dict[str, Any], oids: set[str]) -> Put | Drop:
    """One line of the payload; the oid of a large file is added to `oids`."""
    if key not in KEYS:
        raise bad_request(f"Unknown key {key[:100]!r} in the commit")
    only(value, *FIELDS)
    path = value.get("path")
    if key == "file":
        content = _content(value)
        if path == CARD:
            _check_card(content, repo.facts.kind)
        return Put(check_path(path), stage.add_blob(content))
    if key == "lfsFile":
        pointer = _pointer(call, repo, value)
        oids.add(pointer.oid)
        return Put(check_path(path), stage.add_blob(pointer.to_bytes()))
    return Drop(check_path(path.rstrip("/") if isinstance(path, str) else path), folder=key == "deletedFolder")


def _check_card(content: bytes, kind: str) -> None:
    """Clients ask before they upload; a commit that did not ask is refused for the same reasons."""
    review = review_card(content.decode(errors="replace"), kind)
    if review.errors:
        raise refused_card(review)


def refused_card(review: Review) -> HubError:
    """400 with the errors as rows, which clients print."""
    rows: dict[str, object] = {"errors": review.rows("errors"), "warnings": review.rows("warnings")}
    return HubError(400, f"Invalid metadata in README.md: {'; '.join(review.errors)}", extra=rows)


def _content(value: dict[str, Any]) -> bytes:
    content, encoding = value.get("content"), value.get("encoding", "utf-8")
    if not isinstance(content, str) or encoding not in ("base64", "utf-8"):
        raise bad_request("A file has content, encoded as base64 or utf-8")
    try:
        return base64.b64decode(content, validate=True) if encoding == "base64" else content.encode()
    except (binascii.Error, ValueError) as error:
        raise bad_request(f"The content of a file is not {encoding}") from error


def _pointer(call: Call, repo: Repository, value: dict[str, Any]) -> Pointer:
    oid = check_oid(value.get("oid"))
    if value.get("algo", "sha256") != "sha256":
        raise bad_request("The only algorithm for large files is sha256")
    if not holds(call, repo, oid):
        raise bad_request(f"LFS object {oid} is not stored. Upload it before the commit.")
    stored = repo.large.size_of(repo.folder, oid)
    if value.get("size") not in (None, stored):
        raise bad_request(f"LFS object {oid} has {stored} bytes, not {value['size']}")
    return Pointer(oid, stored)
