"""Requests about pull requests -> opened, listed, described, merged; other discussions are not served."""

from __future__ import annotations

from starlette.responses import Response

from .call import Call, answer, text_field
from .commits import Note
from .info import pull_row
from .problems import HubError
from .pulls import merge_pull, open_pull, pull_of
from .staging import Staging


def open_(call: Call) -> Response:
    table = call.json()
    if table.get("pullRequest") is not True:
        raise HubError(501, "The embedded Hub serves pull requests, not discussions", "NotImplemented")
    with call.writes() as repo:
        note = Note(call.caller.name, text_field(table, "title"), text_field(table, "description"))
        pull, _ = open_pull(repo, note, Staging(repo.objects))
    return answer({"num": pull.number})


def list_all(call: Call) -> Response:
    with call.reads() as repo:
        rows = [pull_row(repo, pull) for pull in sorted(repo.facts.pulls, key=lambda pull: -pull.number)]
    return answer({"discussions": rows, "count": len(rows), "start": 0})


def describe(call: Call) -> Response:
    with call.reads() as repo:
        return answer(pull_row(repo, pull_of(repo, call.params["number"])))


def merge(call: Call) -> Response:
    with call.writes() as repo:
        pull = merge_pull(repo, call.params["number"], call.caller.name)
        return answer({"status": pull.status, "mergeCommitId": pull.merge_commit})
