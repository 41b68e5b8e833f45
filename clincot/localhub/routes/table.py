"""A method and a raw (percent-encoded) path -> the handler and its parameters; the table is the protocol served."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from starlette.responses import Response

from ..names import ACTIONS
from . import files, lfs, pulls, reading, repos, writing
from .call import Call

Body = Literal["none", "small", "spool", "stream"]
Handler = Callable[[Call], Response] | Callable[[Call], Awaitable[Response]]

# A repo id has one or two segments; a second segment that is an action word belongs to the action, as in gpt2/refs.
ID = rf"(?P<id>[^/]+(?:/(?!(?:{'|'.join(sorted(ACTIONS))})(?:/|$))[^/]+)?)"
REPO = rf"/api/(?P<kind>models|datasets|spaces)/{ID}"
FILES = rf"/(?:(?P<kind>datasets|spaces)/)?{ID}"
REV = r"(?P<rev>[^/]+)"
# `full`, `config`, `cardData` and `expand` ask for more of each row; every row holds all there is.
LISTING = "author search filter gated pipeline_tag sort direction limit cursor full config cardData expand"
TICKET = "size expires ticket"
PULL = r"/discussions/(?P<number>[^/]+)"


@dataclass(frozen=True)
class Route:
    """`body`: "none" is not read, "small" is read whole, "spool" goes to a file first, "stream" is the handler's.

    `query` names the parameters that are understood; None lets any pass.
    """

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    body: Body
    writes: bool
    query: frozenset[str] | None


def _reads(method: str, pattern: str, handler: Handler, query: str | None = "", body: Body | None = None) -> Route:
    """`query` is a list of names between spaces."""
    known = None if query is None else frozenset(query.split())
    return Route(method, re.compile(pattern), handler, body or ("none" if method == "GET" else "small"), False, known)


def _writes(method: str, pattern: str, handler: Handler, query: str = "", body: Body = "small") -> Route:
    """Anonymous callers are refused before a byte of the body is read."""
    return Route(method, re.compile(pattern), handler, body, True, frozenset(query.split()))


ROUTES: tuple[Route, ...] = (
    _reads("GET", "/api/whoami-v2", repos.whoami),
    _reads("GET", "/api/(?:agent-harnesses|telemetry(?:/.*)?)", repos.no_content_to_speak_of, None),
    _reads("POST", "/v1/telemetry|/api/telemetry(?:/.*)?", repos.no_content_to_speak_of, None),
    _reads("POST", "/api/validate-yaml", writing.validate_yaml),
    _writes("POST", "/api/repos/create", repos.create),
    _writes("DELETE", "/api/repos/delete", repos.delete),
    _reads("GET", "/api/(?P<kind>models|datasets|spaces)", repos.list_all, LISTING),
    _reads("GET", REPO, repos.describe, "blobs expand"),
    _reads("GET", rf"{REPO}/revision/{REV}", repos.describe, "blobs expand"),
    _writes("PUT", rf"{REPO}/settings", repos.settings),
    _reads("GET", rf"{REPO}/auth-check(?P<write>/write)?", repos.auth_check),
    _reads("GET", rf"{REPO}/tree/{REV}(?:/(?P<path>.*))?", reading.tree, "recursive expand cursor limit"),
    _reads("POST", rf"{REPO}/paths-info/{REV}", reading.paths_info),
    _reads("GET", rf"{REPO}/refs", reading.refs, "include_prs"),
    _reads("GET", rf"{REPO}/commits/{REV}", reading.commits, "cursor limit expand"),
    _writes("POST", rf"{REPO}/preupload/{REV}", writing.preupload, "create_pr"),
    _writes("POST", rf"{REPO}/commit/{REV}", writing.commit, "create_pr", "spool"),
    _writes("POST", rf"{REPO}/tag/{REV}", writing.add_tag),
    _writes("DELETE", rf"{REPO}/tag/{REV}", writing.drop_tag),
    _writes("POST", rf"{REPO}/branch/{REV}", writing.add_branch),
    _writes("DELETE", rf"{REPO}/branch/{REV}", writing.drop_branch),
    _writes("POST", rf"{REPO}/super-squash/{REV}", writing.super_squash),
    _writes("POST", rf"{REPO}/discussions", pulls.open_),
    _reads("GET", rf"{REPO}/discussions", pulls.list_all, "type status author p"),
    _reads("GET", rf"{REPO}{PULL}", pulls.describe, "diff"),
    _writes("POST", rf"{REPO}{PULL}/status", pulls.set_status),
    _writes("POST", rf"{REPO}{PULL}/merge", pulls.merge),
    _reads("POST", rf"{FILES}\.git/info/lfs/objects/batch", lfs.batch),
    _writes("POST", rf"{FILES}\.git/info/lfs/objects/verify", lfs.verify),
    _reads("PUT", rf"{FILES}\.git/info/lfs/objects/(?P<oid>[^/]+)", lfs.upload, TICKET, "stream"),
    _reads("GET", rf"{FILES}\.git/info/lfs/objects/(?P<oid>[^/]+)", lfs.download, TICKET),
    _reads("GET", rf"{FILES}/(?:resolve|raw)/{REV}/(?P<path>.+)", files.resolve, "download"),
)


def find_route(method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
    """HEAD is answered by the GET handlers: the server leaves the body out and keeps its length."""
    wanted = "GET" if method == "HEAD" else method
    for route in ROUTES:
        if route.method == wanted and (match := route.pattern.fullmatch(raw_path)):
            return route, {key: value for key, value in match.groupdict().items() if value is not None}
    return None
