"""Requests that change contents -> cards checked, upload modes chosen, commits made, tags and branches set."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

from dulwich.attrs import compile_gitattributes_patterns, match_path, parse_git_attributes
from dulwich.objects import ObjectID
from starlette.responses import Response

from ..cards.rules import review_card
from ..names import check_new_ref, check_path, check_ref, kind_of
from ..problems import HubError, bad_request
from ..storage import commits, pulls
from ..storage.commits import Note
from ..storage.pulls import base_branch
from ..storage.repository import Repository
from ..storage.staging import Staging
from .call import Call, answer, only, text_field
from .ignoring import NAME, IgnoreRules
from .payload import read_payload, refused_card

LARGE_BYTES = 10_000_000
MAX_PREUPLOAD = 5000


def validate_yaml(call: Call) -> Response:
    table = call.json("content", "repoType")
    content = table.get("content")
    if not isinstance(content, str):
        raise bad_request("'content' is the text of the card")
    review = review_card(content, kind_of(text_field(table, "repoType", "model")))
    if review.errors:
        raise refused_card(review)
    return answer({"errors": [], "warnings": review.rows("warnings")})


def preupload(call: Call) -> Response:
    """Per file: through LFS or inline, ignored or not, and what the repo holds there now."""
    table = call.json("files", "gitIgnore")
    files = table.get("files")
    if not isinstance(files, list) or len(files) > MAX_PREUPLOAD:
        raise bad_request(f"'files' is a list of at most {MAX_PREUPLOAD} files")
    pull = call.flag("create_pr")
    with call.changes(call.revision, pull) as repo:
        commit = repo.resolve(base_branch(repo, call.revision).decode() if pull else call.revision)
        ignore = _ignore_rules(repo, commit, table, files)
        attributes = repo.read(commit, b".gitattributes") or b""
        patterns = compile_gitattributes_patterns(parse_git_attributes(io.BytesIO(attributes)))
        rows = [_mode(repo, commit, patterns, ignore, row) for row in files]
    return answer({"files": rows})


def _ignore_rules(repo: Repository, commit: ObjectID, table: dict[str, Any], files: list[Any]) -> IgnoreRules:
    """The `.gitignore` files as they will be after the commit.

    Clients send the text of the one at the root; of those below it, the sample holds the text of all but long ones.
    """
    sent: dict[str, bytes] = {}
    for row in files:
        if isinstance(row, dict) and str(row.get("path")).split("/")[-1] == NAME:
            sample = _sample(row)
            sent |= {row["path"]: sample} if len(sample) == row.get("size") else {}
    if table.get("gitIgnore") is not None:
        sent[NAME] = text_field(table, "gitIgnore").encode()
    return IgnoreRules(lambda path: sent[path] if path in sent else repo.read(commit, path.encode()))


def _sample(row: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(row.get("sample") or "")
    except (binascii.Error, ValueError, TypeError) as error:
        raise bad_request("'sample' is base64") from error


def _mode(repo: Repository, commit: ObjectID, patterns: Any, ignore: IgnoreRules, row: Any) -> dict[str, Any]:
    try:
        path = check_path(row.get("path") if isinstance(row, dict) else None)
    except HubError as error:  # the Hub's own status, which is another one than a commit's
        raise HubError(422, error.message) from error
    only(row, "path", "size", "sample")
    size, sample = row.get("size", 0), _sample(row)
    if not isinstance(size, int):
        raise bad_request("'size' is a number of bytes")
    by_name = match_path(patterns, path).get(b"filter") == b"lfs"
    large = size > 0 and (by_name or size > LARGE_BYTES or b"\0" in sample)
    mode: dict[str, Any] = {"path": path.decode(), "uploadMode": "lfs" if large else "regular"}
    mode["shouldIgnore"] = ignore.ignores(path.decode())
    entry = repo.entry(commit, path)
    if entry is not None and not entry.folder:
        mode["oid"] = entry.pointer.oid if entry.pointer else entry.oid
    return mode


def commit(call: Call) -> Response:
    assert call.spool is not None  # the route says so
    proposed = call.flag("create_pr")
    with call.changes(call.revision, proposed) as repo, open(call.spool, "rb") as body:
        ref = base_branch(repo, call.revision) if proposed else _committed_to(repo, call.revision)
        stage = Staging(repo.objects)
        payload = read_payload(call, repo, stage, body)
        url, pull_url = call.url_of(repo.facts.kind, repo.facts.id), None
        if proposed:
            pull, head = pulls.open_pull(repo, payload.note, stage, payload.edits, payload.parent, ref)
            pull_url = f"{url}/discussions/{pull.number}"
        else:
            head = commits.commit(repo, ref, payload.edits, payload.note, stage, payload.parent)
    done = {"success": True, "commitOid": head.decode(), "commitUrl": f"{url}/commit/{head.decode()}"}
    return answer(done | {"pullRequestUrl": pull_url, "hookOutput": ""})


def _committed_to(repo: Repository, revision: str) -> bytes:
    ref = commits.writable_ref(revision)
    if repo.head(ref) is None:
        repo.resolve(revision)  # 404 with the revision's name unless it is a tag or a sha
        raise bad_request(f"{revision!r} is not a branch: nothing can be committed to it")
    return ref


def add_tag(call: Call) -> Response:
    with call.writes() as repo:
        table = call.json("tag", "message")
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
        ref = check_new_ref("refs/heads/", call.revision)
        start = repo.resolve(text_field(call.json("startingPoint"), "startingPoint", "main"))
        with repo.locked():
            commits.add_ref(repo, ref, start)
    return answer({})


def drop_branch(call: Call) -> Response:
    with call.writes() as repo:
        commits.remove_ref(repo, check_ref("refs/heads/", call.revision))
    return answer({})


def super_squash(call: Call) -> Response:
    with call.writes() as repo:
        title = text_field(call.json("message"), "message", f"Super-squash branch '{call.revision}'")
        commits.squash(repo, call.revision, Note(call.caller.name, title))
    return answer({})
