"""Requests about pull requests -> opened, listed, described, closed, merged; other discussions are not served."""

from __future__ import annotations

import secrets

from starlette.responses import Response

from ..problems import HubError, bad_request
from ..storage import pulls
from ..storage.commits import Note
from ..storage.diffs import diff_of
from ..storage.pulls import merge_pull, open_pull, pull_of
from ..storage.repository import iso
from ..storage.staging import Staging
from .call import Call, answer, text_field
from .info import pull_row

PAGE = 50
KINDS = ("all", "discussion", "pull_request")
STATUSES = ("all", "open", "closed")


def open_(call: Call) -> Response:
    table = call.json("title", "description", "pullRequest")
    if table.get("pullRequest") is not True:
        raise HubError(501, "The embedded Hub serves pull requests, not discussions", "NotImplemented")
    with call.proposes() as repo:
        note = Note(call.caller.name, text_field(table, "title"), text_field(table, "description"))
        pull, _ = open_pull(repo, note, Staging(repo.objects))
    return answer({"num": pull.number})


def list_all(call: Call) -> Response:
    """Pull requests, newest first, paged by `p`; `closed` holds the merged ones too, as on the Hub."""
    kind, status = _choice(call, "type", KINDS), _choice(call, "status", STATUSES)
    author, page = call.query.get("author"), call.query.get("p") or "0"
    if not page.isdecimal() or len(page) > 6:
        raise bad_request("'p' is the number of a page, from 0")
    with call.reads() as repo:
        found = [] if kind == "discussion" else sorted(repo.facts.pulls, key=lambda pull: -pull.number)
        found = [pull for pull in found if status == "all" or (pull.status == "open") == (status == "open")]
        found = [pull for pull in found if not author or pull.author.casefold() == author.casefold()]
        start = int(page) * PAGE
        rows = [pull_row(repo, pull) for pull in found[start : start + PAGE]]
    return answer({"discussions": rows, "count": len(found), "start": start})


def _choice(call: Call, name: str, choices: tuple[str, ...]) -> str:
    value = call.query.get(name) or "all"
    if value not in choices:
        raise bad_request(f"{name!r} is one of {', '.join(choices)}")
    return value


def describe(call: Call) -> Response:
    with call.reads() as repo:
        pull = pull_of(repo, call.params["number"])
        return answer(pull_row(repo, pull) | {"diff": diff_of(repo, pull) if call.flag("diff") else ""})


def merge(call: Call) -> Response:
    comment = text_field(call.json("comment"), "comment")
    with call.writes() as repo:
        pull = merge_pull(repo, call.params["number"], call.caller.name, comment)
        return answer({"status": pull.status, "mergeCommitId": pull.merge_commit})


def set_status(call: Call) -> Response:
    """Owners of the repo and the request's author close and open it; the event is answered, not kept."""
    table = call.json("status")
    if table.get("status") not in ("open", "closed"):
        raise bad_request("'status' is open or closed")
    number = call.params["number"]
    with call.changes(f"refs/pr/{number}", pull=False) as repo:
        pull = pulls.set_status(repo, number, table["status"])
    event = {"id": secrets.token_hex(12), "type": "status-change", "createdAt": iso(), "data": {"status": pull.status}}
    return answer({"newStatus": event | {"author": {"name": call.caller.name}}})
