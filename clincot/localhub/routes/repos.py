"""Requests about accounts and whole repos -> who calls, repos made, deleted, set, listed and described."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ..cards.card import card_data, tags_of
from ..names import check_repo_id, kind_of
from ..problems import HubError, bad_request, not_supported
from ..storage.facts import Facts
from ..storage.repository import MAIN, Repository
from .call import Call, answer, text_field
from .info import repo_info

PAGE = 1000
DATES = ("lastModified", "last_modified", "createdAt", "created_at")
COUNTS = ("downloads", "likes", "likes7d", "trendingScore", "trending_score")  # 0 of every repo here


def whoami(call: Call) -> Response:
    caller = call.caller
    if caller.anonymous:
        raise HubError(401, "Invalid username or password.")
    token = {"type": "access_token", "accessToken": {"displayName": caller.name, "role": caller.role}}
    person = {"type": "user", "id": f"user-{caller.name}", "name": caller.name, "fullname": caller.name}
    orgs = [
        {"type": "org", "name": name, "fullname": name} for name in caller.namespaces if name not in ("*", caller.name)
    ]
    return answer(person | {"email": None, "orgs": orgs, "isPro": False, "auth": token})


def no_content_to_speak_of(call: Call) -> Response:
    """Agent harnesses and telemetry: asked by clients on their own account, answered without looking at tokens."""
    return answer({})


def _target(call: Call, table: dict[str, Any]) -> tuple[str, str]:
    kind = kind_of(text_field(table, "type", "model"))
    name = text_field(table, "name")
    owner = text_field(table, "organization") or call.caller.name
    return kind, check_repo_id(name if "/" in name else f"{owner}/{name}")


def _private(table: dict[str, Any]) -> bool | None:
    if table.get("visibility") is not None:
        if table["visibility"] == "protected":  # a public app over private files: neither here
            raise not_supported("protected repos")
        if table["visibility"] not in ("public", "private"):
            raise bad_request("'visibility' is public or private")
        return bool(table["visibility"] == "private")
    private = table.get("private")
    if private is not None and not isinstance(private, bool):
        raise bad_request("'private' is true or false")
    return private


def create(call: Call) -> Response:
    call.caller.check_write(call.caller.name)
    table = call.json("name", "organization", "type", "visibility", "private", "sdk")
    kind, repo_id = _target(call, table)
    call.caller.check_write(repo_id.split("/")[0])
    sdk = text_field(table, "sdk") or None
    if kind == "space" and sdk is None:
        raise bad_request("A Space needs an sdk")
    repo_id = call.store.id_of(kind, repo_id)
    url = call.url_of(kind, repo_id)
    try:
        call.store.create(kind, repo_id, call.caller.name, bool(_private(table)), sdk)
    except HubError as error:
        if error.status == 409:  # `exist_ok=True` reads the url from this very body
            error.extra = {"url": url, "name": repo_id, "id": repo_id}
        raise
    return answer({"url": url, "name": repo_id, "id": repo_id})


def delete(call: Call) -> Response:
    kind, repo_id = _target(call, call.json("name", "organization", "type"))
    with call.repo(kind, repo_id) as repo:
        call.caller.check_write(repo.facts.namespace)
        call.store.delete(repo)
    return answer({})


def settings(call: Call) -> Response:
    with call.writes() as repo:
        table, wanted = call.json("gated", "private", "visibility"), {}
        if "gated" in table:
            if table["gated"] not in (False, "auto", "manual"):
                raise bad_request("'gated' is false, auto or manual")
            wanted["gated"] = table["gated"]
        private = _private(table)
        if private is not None:
            wanted["private"] = private
        call.store.change(repo, **wanted)
        return answer(table)


def auth_check(call: Call) -> Response:
    with call.reads(contents=True) as repo:
        if call.params.get("write"):
            call.caller.check_write(repo.facts.namespace)
    return answer({})


def describe(call: Call) -> Response:
    with call.reads() as repo:
        return answer(repo_info(repo, repo.resolve(call.revision), call.flag("blobs")))


def list_all(call: Call) -> Response:
    """Repos the caller sees, in order of their ids unless `sort` names a date, paged."""
    if call.query.get("sort") not in (None, "", *DATES, *COUNTS):
        raise not_supported(f"sorting by {call.query['sort']!r}")
    rows = [row for repo in call.store.repos(call.kind) if (row := _listed(call, repo))]
    rows.sort(key=lambda row: row["id"])
    key = {"lastModified": "lastModified", "last_modified": "lastModified"}.get(call.query.get("sort", ""))
    if key or call.query.get("sort") in ("createdAt", "created_at"):
        rows.sort(key=lambda row: row[key or "createdAt"], reverse=call.query.get("direction") != "1")
    start = call.count("cursor", 0, 10**9)
    end = start + call.count("limit", PAGE, PAGE)
    more = call.next_page(cursor=str(end)) if end < len(rows) else None
    return answer(rows[start:end], headers=more)


def _listed(call: Call, repo: Repository) -> dict[str, Any] | None:
    facts, head = repo.facts, repo.head(MAIN)
    if head is None or not call.caller.sees(facts) or not _matches(call, facts):
        return None
    card = card_data(repo.read(head, b"README.md")) or {}
    wanted = {tag for text in call.request.query_params.getlist("filter") for tag in text.split(",") if tag}
    task = call.query.get("pipeline_tag")
    if not wanted <= set(tags_of(card)) or (task and card.get("pipeline_tag") != task):
        return None
    return repo_info(repo, head)


def _matches(call: Call, facts: Facts) -> bool:
    """Every word of `search` is part of the id; author and gating are as asked."""
    author, gated = call.query.get("author"), call.query.get("gated", "").lower()
    if gated not in ("", "true", "false", "1", "0"):
        raise bad_request("'gated' is true or false")
    words = [word.lower() for word in call.request.query_params.getlist("search")]
    found = all(word in facts.id.lower() for word in words)
    found = found and (not author or facts.namespace.casefold() == author.casefold())
    return found and (not gated or bool(facts.gated) == (gated in ("true", "1")))
