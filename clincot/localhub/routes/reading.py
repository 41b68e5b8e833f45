"""Requests about the contents of a repo -> trees, paths, refs and commits as JSON, paged."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from dulwich.objects import ObjectID
from dulwich.walk import Walker
from starlette.responses import Response

from ..names import check_path
from ..problems import HubError, bad_request, not_supported
from ..storage.history import last_changes
from ..storage.repository import Repository
from ..storage.trees import Entry
from .call import Call, answer, only
from .info import commit_row, entry_row, last_commit, refs_row

PAGE = 1000


def tree(call: Call) -> Response:
    with call.reads() as repo:
        commit = repo.resolve(call.revision)
        entries = repo.entries(commit, call.path, call.flag("recursive"))
        start = call.count("cursor", 0, 10**9)
        end = start + call.count("limit", PAGE, PAGE)
        last = _last_commits(repo, commit, entries[start:end]) if call.flag("expand") else {}
    more = call.next_page(cursor=str(end)) if end < len(entries) else {}
    if more:  # later pages name the commit, so that a push in between cannot mix two trees
        more["Link"] = more["Link"].replace(f"/tree/{call.params['rev']}", f"/tree/{commit.decode()}", 1)
    return answer([entry_row(entry, last.get(entry.path)) for entry in entries[start:end]], headers=more)


def paths_info(call: Call) -> Response:
    paths, expand = _asked_paths(call)
    with call.reads() as repo:
        commit = repo.resolve(call.revision)
        found = [entry for entry in (repo.entry(commit, path) for path in paths) if entry is not None]
        last = _last_commits(repo, commit, found) if expand else {}
    return answer([entry_row(entry, last.get(entry.path)) for entry in found])


def _last_commits(repo: Repository, commit: ObjectID, entries: list[Entry]) -> dict[str, dict[str, Any]]:
    found = last_changes(repo, commit, {entry.path.encode(): entry.path for entry in entries})
    return {name: last_commit(changed) for name, changed in found.items()}


def _asked_paths(call: Call) -> tuple[list[bytes], bool]:
    """From a form or a JSON body; a path no repo can hold is as unknown as any other."""
    table: dict[str, Any]
    if "json" in call.request.headers.get("content-type", ""):
        table = call.json("paths", "expand")
        wanted, expand = table.get("paths", []), table.get("expand") is True
    else:
        try:
            form = parse_qs(call.body.decode(), max_num_fields=200_000)
        except ValueError as error:
            raise bad_request("The request body is not a form") from error
        only(form, "paths", "expand")
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
    formatted = _formatted(call)
    with call.reads() as repo:
        commit = repo.resolve(call.revision)
        walker = Walker(repo.objects, [commit], max_entries=start + size + 1, order="topo")
        rows = [commit_row(entry.commit, formatted) for entry in walker][start:]
    more = call.next_page(cursor=str(start + size)) if len(rows) > size else {}
    if more:
        more["Link"] = more["Link"].replace(f"/commits/{call.params['rev']}", f"/commits/{commit.decode()}", 1)
    return answer(rows[:size], headers=more)


def _formatted(call: Call) -> bool:
    asked = {value for name, value in call.request.query_params.multi_items() if name in ("expand", "expand[]")}
    if asked - {"formatted"}:
        raise not_supported(f"expanding commits by {sorted(asked - {'formatted'})}")
    return bool(asked)
