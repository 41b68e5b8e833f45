"""Requests that change contents -> cards checked, upload modes chosen, commits made, tags and branches set."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

from dulwich.attrs import compile_gitattributes_patterns, match_path, parse_git_attributes
from dulwich.ignore import IgnoreFilter
from dulwich.objects import ObjectID
from starlette.responses import Response

from . import commits, pulls
from .call import Call, answer, text_field
from .cards import complaints
from .commits import Note
from .names import check_path, check_ref, kind_of
from .payload import read_payload
from .problems import HubError, bad_request
from .repository import Repository
from .staging import Staging

LARGE_BYTES = 10_000_000
MAX_PREUPLOAD = 5000


def validate_yaml(call: Call) -> Response:
    table = call.json()
    content = table.get("content")
    if not isinstance(content, str):
        raise bad_request("'content' is the text of the card")
    found = complaints(content, kind_of(text_field(table, "repoType", "model")))
    errors = [{"message": text} for text in found]
    if found:
        raise HubError(400, "; ".join(found), extra={"errors": errors, "warnings": []})
    return answer({"errors": [], "warnings": []})


def preupload(call: Call) -> Response:
    """Per file: through LFS or inline, ignored or not, and what the repo holds there now."""
    table = call.json()
    files = table.get("files")
    if not isinstance(files, list) or len(files) > MAX_PREUPLOAD:
        raise bad_request(f"'files' is a list of at most {MAX_PREUPLOAD} files")
    lines = text_field(table, "gitIgnore").encode().splitlines()
    ignore = IgnoreFilter([line for line in lines if line.strip() and not line.startswith(b"#")])
    with call.writes() as repo:
        commit = repo.resolve(call.revision)
        attributes = repo.read(commit, b".gitattributes") or b""
        patterns = compile_gitattributes_patterns(parse_git_attributes(io.BytesIO(attributes)))
        rows = [_mode(repo, commit, patterns, ignore, row) for row in files]
    return answer({"files": rows})


def _mode(repo: Repository, commit: ObjectID, patterns: Any, ignore: IgnoreFilter, row: Any) -> dict[str, Any]:
    path = check_path(row.get("path") if isinstance(row, dict) else None)
    size = row.get("size", 0)
    try:
        sample = base64.b64decode(row.get("sample") or "")
    except (binascii.Error, ValueError, TypeError) as error:
        raise bad_request("'sample' is base64") from error
    if not isinstance(size, int):
        raise bad_request("'size' is a number of bytes")
    by_name = match_path(patterns, path).get(b"filter") == b"lfs"
    large = size > 0 and (by_name or size > LARGE_BYTES or b"\0" in sample)
    mode: dict[str, Any] = {"path": path.decode(), "uploadMode": "lfs" if large else "regular"}
    mode["shouldIgnore"] = bool(ignore.is_ignored(path))
    entry = repo.entry(commit, path)
    if entry is not None and not entry.folder:
        mode["oid"] = entry.pointer.oid if entry.pointer else entry.oid
    return mode


def commit(call: Call) -> Response:
    assert call.spool is not None  # the route says so
    with call.writes() as repo, open(call.spool, "rb") as body:
        ref = commits.writable_ref(call.revision)
        if repo.head(ref) is None:
            repo.resolve(call.revision)  # 404 with the revision's name unless it is a tag or a sha
            raise bad_request(f"{call.revision!r} is not a branch: nothing can be committed to it")
        stage = Staging(repo.objects)
        payload = read_payload(call, repo, stage, body)
        url, pull_url = call.url_of(repo.facts.kind, repo.facts.id), None
        if call.flag("create_pr"):
            pull, head = pulls.open_pull(repo, payload.note, stage, payload.edits, payload.parent)
            pull_url = f"{url}/discussions/{pull.number}"
        else:
            head = commits.commit(repo, ref, payload.edits, payload.note, stage, payload.parent)
    done = {"success": True, "commitOid": head.decode(), "commitUrl": f"{url}/commit/{head.decode()}"}
    return answer(done | {"pullRequestUrl": pull_url, "hookOutput": ""})


def add_tag(call: Call) -> Response:
    with call.writes() as repo:
        table = call.json()
        name, message = text_field(table, "tag"), text_field(table, "message")
        note = Note(call.caller.name, message or name)
        commits.add_tag(repo, name, repo.resolve(call.revision), note, annotated=bool(message))
    return answer({})


def drop_tag(call: Call) -> Response:
    with call.writes() as repo:
        commits.remove_ref(repo, check_ref("refs/tags/", call.revision))
    return answer({})


def add_branch(call: Call) -> Response:
    with call.writes() as repo:
        ref = check_ref("refs/heads/", call.revision)
        start = repo.resolve(text_field(call.json(), "startingPoint", "main"))
        with repo.locked():
            commits.add_ref(repo, ref, start)
    return answer({})


def drop_branch(call: Call) -> Response:
    with call.writes() as repo:
        commits.remove_ref(repo, check_ref("refs/heads/", call.revision))
    return answer({})


def super_squash(call: Call) -> Response:
    with call.writes() as repo:
        title = text_field(call.json(), "message", f"Super-squash branch '{call.revision}'")
        commits.squash(repo, call.revision, Note(call.caller.name, title))
    return answer({})
