"""Requests about the contents of a repo -> trees, paths, refs and commits as JSON, paged."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from dulwich.walk import Walker
from starlette.responses import Response

from .call import Call, answer
from .info import commit_row, entry_row, last_commit, refs_row
from .names import check_path
from .problems import HubError, bad_request

PAGE = 1000


def tree(call: Call) -> Response:
    with call.reads() as repo:
        commit = repo.resolve(call.revision)
        last = last_commit(repo.commit(commit)) if call.flag("expand") else None
        entries = repo.entries(commit, call.path, call.flag("recursive"))
    start = call.count("cursor", 0, 10**9)
    end = start + call.count("limit", PAGE, PAGE)
    more = call.next_page(cursor=str(end)) if end < len(entries) else {}
    if more:  # later pages name the commit, so that a push in between cannot mix two trees
        more["Link"] = more["Link"].replace(f"/tree/{call.params['rev']}", f"/tree/{commit.decode()}", 1)
    return answer([entry_row(entry, last) for entry in entries[start:end]], headers=more)


def paths_info(call: Call) -> Response:
    paths, expand = _asked_paths(call)
    with call.reads() as repo:
        commit = repo.resolve(call.revision)
        last = last_commit(repo.commit(commit)) if expand else None
        found = [repo.entry(commit, path) for path in paths]
    return answer([entry_row(entry, last) for entry in found if entry is not None])


def _asked_paths(call: Call) -> tuple[list[bytes], bool]:
    """From a form or a JSON body; a path no repo can hold is as unknown as any other."""
    table: dict[str, Any]
    if "json" in call.request.headers.get("content-type", ""):
        table = call.json()
        wanted, expand = table.get("paths", []), table.get("expand") is True
    else:
        try:
            form = parse_qs(call.body.decode(), max_num_fields=200_000)
        except ValueError as error:
            raise bad_request("The request body is not a form") from error
        wanted, expand = form.get("paths", []), form.get("expand", [""])[-1].lower() in ("1", "true")
    if isinstance(wanted, str):
        wanted = [wanted]
    if not isinstance(wanted, list):
        raise bad_request("'paths' is a list of paths")
    return [path for path in map(_possible, wanted) if path], expand


def _possible(path: object) -> bytes:
    try:
        return check_path(path.rstrip("/") if isinstance(path, str) else path)
    except HubError:
        return b""


def refs(call: Call) -> Response:
    with call.reads() as repo:
        return answer(refs_row(repo, call.flag("include_prs")))


def commits(call: Call) -> Response:
    """History of a revision, newest first."""
    start, size = call.count("cursor", 0, 10**9), call.count("limit", PAGE, PAGE)
    with call.reads() as repo:
        commit = repo.resolve(call.revision)
        walker = Walker(repo.objects, [commit], max_entries=start + size + 1, order="topo")
        rows = [commit_row(entry.commit) for entry in walker][start:]
    more = call.next_page(cursor=str(start + size)) if len(rows) > size else {}
    if more:
        more["Link"] = more["Link"].replace(f"/commits/{call.params['rev']}", f"/commits/{commit.decode()}", 1)
    return answer(rows[:size], headers=more)
