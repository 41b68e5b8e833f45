"""One HTTP request -> its parts as handlers need them: checked names, the caller, the repo it may use, its JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..access import Access, Caller, visible
from ..names import check_path, check_repo_id, kind_of, unquote, url_prefix
from ..problems import HubError, bad_request, not_supported, repo_not_found
from ..storage.repository import Repository
from ..storage.store import Store


@dataclass
class Call:
    """`body` is a small request body, `spool` the file a big one was written to."""

    request: Request
    params: dict[str, str]
    caller: Caller
    store: Store
    access: Access
    endpoint: str
    body: bytes = b""
    spool: Path | None = None

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query_params)

    @property
    def kind(self) -> str:
        return kind_of(self.params.get("kind") or "model")

    @property
    def repo_id(self) -> str:
        return check_repo_id(unquote(self.params["id"]))

    @property
    def revision(self) -> str:
        return unquote(self.params.get("rev") or "main")

    @property
    def path(self) -> bytes:
        """The checked path in the repo, empty for its root."""
        text = unquote(self.params.get("path") or "").rstrip("/")
        return check_path(text) if text else b""

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("1", "true")

    def count(self, name: str, default: int, most: int) -> int:
        text = self.query.get(name, "")
        return min(int(text), most) if text.isdecimal() and 0 < len(text) < 10 and int(text) > 0 else default

    def check_query(self, known: frozenset[str]) -> None:
        """501 for a parameter outside `known`, unless its value is the same as leaving it out."""
        for name, value in self.request.query_params.multi_items():
            if name.removesuffix("[]") not in known and value.lower() not in ("", "0", "false"):
                raise not_supported(f"the parameter {name!r} of this call")

    def json(self, *known: str) -> dict[str, Any]:
        """The JSON object of the body; 501 for a field outside `known`, where it is given."""
        try:
            table = json.loads(self.body or b"{}")
        except (ValueError, RecursionError) as error:
            raise bad_request("The request body is not JSON") from error
        if not isinstance(table, dict):
            raise bad_request("The request body must be a JSON object")
        return only(table, *known) if known else table

    # -- repos: each of these is used as `with call.reads() as repo` -------------------------------------------------
    def repo(self, kind: str, repo_id: str) -> Repository:
        """Open a repo that the caller may know of."""
        repo = self.store.open(kind, repo_id)
        try:
            visible(self.caller, repo.facts if repo else None)
        except HubError:
            if repo:
                repo.objects.close()
            raise
        assert repo is not None  # visible() refuses None
        return repo

    def reads(self, contents: bool = False) -> Repository:
        repo = self.repo(self.kind, self.repo_id)
        if contents:
            self.caller.check_read(repo.facts)
        return repo

    def writes(self) -> Repository:
        repo_id = self.repo_id
        if self.caller.anonymous:  # not "repo not found": who writes must learn that a token is missing
            self.caller.check_write("")
        repo = self.repo(self.kind, repo_id)
        self.caller.check_write(repo.facts.namespace)
        return repo

    def proposes(self) -> Repository:
        """Open a repo to prepare or open a pull request on it."""
        if self.caller.anonymous:
            self.caller.check_propose()
        repo = self.repo(self.kind, self.repo_id)
        self.caller.check_propose()
        self.caller.check_read(repo.facts)
        return repo

    def changes(self, revision: str, pull: bool) -> Repository:
        """Open a repo to commit to `revision`; its owners may, and everybody to a pull request that is theirs."""
        number = revision.removeprefix("refs/pr/")
        if not pull and number == revision:
            return self.writes()
        repo = self.proposes()
        found = repo.facts.pull(int(number)) if number.isdecimal() and len(number) < 10 else None
        if not pull and (found is None or found.author != self.caller.name):
            self.caller.check_write(repo.facts.namespace)
        return repo

    def url_of(self, kind: str, repo_id: str) -> str:
        return f"{self.endpoint}/{url_prefix(kind)}{repo_id}"

    def repo_is_gone(self) -> bool:
        """True when the repo of this request was deleted while it was being answered."""
        return "id" in self.params and not self.store.exists(self.kind, self.repo_id)

    def gone(self) -> HubError:
        return repo_not_found(self.caller.anonymous)

    def next_page(self, **changes: str) -> dict[str, str]:
        """The Link header clients follow; `rev` may be replaced by the sha, so that pages agree."""
        url = self.request.url.include_query_params(**changes)
        return {"Link": f'<{self.endpoint}{self.request.scope["raw_path"].decode()}?{url.query}>; rel="next"'}


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(content, status, headers)


def only(table: dict[str, Any], *known: str) -> dict[str, Any]:
    """The table itself; 501 for a field outside `known` that asks for something."""
    for name, value in table.items():
        if name not in known and value:
            raise not_supported(f"the field {name!r} of this call")
    return table


def text_field(table: dict[str, Any], key: str, default: str = "") -> str:
    """A string of a JSON body, bounded; lone surrogates (legal JSON, illegal UTF-8) are refused."""
    value = table.get(key)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > 100_000 or any("\ud800" <= char <= "\udfff" for char in value):
        raise bad_request(f"{key!r} must be a string of at most 100,000 characters")
    return value
