"""Hypothesis strategies -> HTTP requests that mix real endpoints, names and bodies with hostile ones."""

from __future__ import annotations

import base64
import json
from typing import NamedTuple
from urllib.parse import quote

from hypothesis import strategies as st

OID = "0" * 64
HOSTILE = ["..", "../..", "../../../../outside/secret", "/etc/passwd", "\0", "a\0b", ".git", ".GIT/config", "a\\b", "~"]
HOSTILE += [
    "\u202e.git",
    ".g\u200cit",
    "CON",
    ".git::$INDEX_ALLOCATION",
    "nul.txt",
    "a. ",
    "e\u0301",
    "\u00e9",
    "\U0001f600",
    "%",
    "%2e%2e",
    "a b",
    "#",
    "?",
    ";",
    " ",
]
HOSTILE += [
    "refs/heads/main",
    "refs/pr/1",
    "refs/tags/v1",
    "refs/../../x",
    "HEAD",
    "@{0}",
    "-",
    "--upload-pack=x",
    "a" * 300,
]
REAL = [
    "main",
    "v1",
    "a.txt",
    "w.bin",
    "sub",
    "sub/b.txt",
    "clincot",
    "thing",
    "private",
    "README.md",
    OID,
    "1",
    "hub.json",
]
METHODS: list[str | None] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]


def mostly(common: st.SearchStrategy, rare: st.SearchStrategy) -> st.SearchStrategy:
    """Four of five times `common`; a plain `|` would weigh every leaf of both alike."""
    return st.integers(0, 4).flatmap(lambda number: rare if number == 2 else common)


words = st.sampled_from(REAL) | st.sampled_from(HOSTILE) | st.text(max_size=12)
revisions = mostly(st.just("main"), words)
kinds = mostly(st.just("models"), st.sampled_from(["datasets", "spaces", "buckets"]))
PUBLIC = "clincot/thing"
repos = mostly(mostly(st.just(PUBLIC), st.sampled_from(["clincot/private", "gpt2", "clincot/new"])), words)
# Action -> the method it is meant for; {rev} and {word} are filled in.
ACTIONS = {"revision/{rev}": "GET", "tree/{rev}": "GET", "tree/{rev}/{word}": "GET", "refs": "GET", "": "GET"}
ACTIONS |= {"commits/{rev}": "GET", "auth-check": "GET", "discussions": "GET", "discussions/{word}": "GET"}
ACTIONS |= {"commit/{rev}": "POST", "preupload/{rev}": "POST", "paths-info/{rev}": "POST", "tag/{rev}": "POST"}
ACTIONS |= {"branch/{word}": "POST", "super-squash/{rev}": "POST", "discussions/{word}/merge": "POST"}
ACTIONS |= {"discussions/{word}/status": "POST"}
ACTIONS |= {"settings": "PUT", "xet-write-token/{rev}": "GET", "blob/{word}": "GET"}
DELETED = ["tag/{word}", "branch/{word}"]


class Sent(NamedTuple):
    """One request; `path` is the target as it goes over the wire."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def _segment(word: str) -> str:
    return quote(word.encode(errors="replace"), safe="")


def _path(word: str) -> str:
    return quote(word.encode(errors="replace"), safe="/.~")


def _filled(action: str, rev: str, word: str) -> str:
    return action.replace("{rev}", _segment(rev)).replace("{word}", _segment(word))


actions = st.sampled_from([*ACTIONS.items(), *((action, "DELETE") for action in DELETED), ("discussions", "POST")])
commit_action = st.just(("commit/{rev}", "POST"))
api_targets = st.builds(
    lambda kind, repo, action, rev, word: (
        action[1], f"/api/{kind}/{_path(repo)}/{_filled(action[0], rev, word)}".rstrip("/")),
    kinds, repos, actions | actions | commit_action, revisions, words,
)  # fmt: skip
file_targets = st.builds(
    lambda prefix, repo, action, rev, path: ("GET", f"/{prefix}{_path(repo)}/{action}/{_segment(rev)}/{_path(path)}"),
    st.sampled_from(["", "", "datasets/", "spaces/"]), repos, st.sampled_from(["resolve", "raw"]), revisions, words,
)  # fmt: skip
lfs_targets = st.builds(
    lambda repo, end: (end[0], f"/{_path(repo)}.git/info/lfs/objects/{end[1]}"),
    repos, st.sampled_from([("POST", "batch"), ("POST", "verify"), ("PUT", OID), ("GET", OID), ("PUT", "..%2f..%2fx")]),
)  # fmt: skip
FIXED = [("GET", "/"), ("GET", "/api/whoami-v2"), ("POST", "/api/repos/create"), ("DELETE", "/api/repos/delete")]
FIXED += [("POST", "/api/validate-yaml"), ("GET", "/api/models"), ("GET", "/api/spaces"), ("GET", "//"), ("GET", "*")]
FIXED += [
    ("GET", "/../../outside/secret"),
    ("GET", "/api//models"),
    ("GET", "/clincot/thing/resolve/main/../../../token"),
]
odd_targets = st.text(max_size=60).map(lambda text: ("GET", "/" + _path(text)))
QUERIES = ["", "?recursive=true", "?expand=1&blobs=true", "?cursor=-1", "?cursor=99999999999999999999", "?limit=0"]
QUERIES += ["?create_pr=1", "?filter=%00&author=..", "?size=1&expires=9&ticket=x", "?size=x", "?%ff=%ff", "?limit=1"]
QUERIES += ["?status=open&p=1", "?expand[]=formatted", "?diff=1", "?apps=x"]
OTHERS = [file_targets, lfs_targets, st.sampled_from(FIXED), odd_targets]
targets = mostly(api_targets, st.integers(0, 3).flatmap(OTHERS.__getitem__))

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
KEYS = ["path", "content", "encoding", "oid", "size", "algo", "summary", "parentCommit", "name", "organization", "type"]
KEYS += ["private", "visibility", "gated", "tag", "message", "files", "sample", "gitIgnore", "operation", "objects"]
KEYS += ["paths", "pullRequest", "title", "startingPoint", "sdk", "repoType", "description"]
GOOD = ["utf-8", "base64", "upload", "download", "sha256", "model", "dataset", "public", True, False, [], {}]
values = junk | st.sampled_from(GOOD) | words
tables = st.dictionaries(st.sampled_from(KEYS), values, max_size=6)
preuploads = st.lists(st.fixed_dictionaries({"path": words, "size": st.integers(), "sample": words}), max_size=3).map(
    lambda files: {"files": files}
)
batches = st.fixed_dictionaries(
    {
        "operation": st.sampled_from(["upload", "download", "verify"]),
        "objects": st.lists(st.fixed_dictionaries({"oid": st.just(OID) | words, "size": st.integers()}), max_size=3),
    }
)

# Tables whose fields belong together: others are refused at their first unknown field.
FIELDS = [
    ["tag", "message"],
    ["startingPoint"],
    ["name", "organization", "type", "private", "sdk"],
    ["gated", "private"],
]
FIELDS += [
    ["title", "description", "pullRequest"],
    ["message"],
    ["content", "repoType"],
    ["paths"],
    ["status"],
    ["comment"],
]
meant = st.sampled_from(FIELDS).flatmap(lambda names: st.fixed_dictionaries({}, optional=dict.fromkeys(names, values)))


def _edit(key: str, **value: object) -> dict[str, object]:
    return {"key": key, "value": value}


edits = st.one_of(
    st.builds(lambda path, text: _edit("file", path=path, content=text, encoding="utf-8"), words, words),
    st.builds(
        lambda path, data: _edit("file", path=path, content=base64.b64encode(data).decode(), encoding="base64"),
        words,
        st.binary(max_size=40),
    ),
    st.builds(lambda path: _edit("deletedFile", path=path), words),
    st.builds(lambda path: _edit("deletedFolder", path=path), words),
    st.builds(lambda path, oid: _edit("lfsFile", path=path, oid=oid), words, st.just(OID) | words),
    st.builds(lambda key, value: {"key": key, "value": value}, words, junk),
)
headers_of_commits = st.builds(lambda summary: {"key": "header", "value": {"summary": summary}}, words)
commits = st.builds(lambda head, rows: [head, *rows], headers_of_commits, st.lists(edits, max_size=3))
bodies = st.one_of(
    st.just(b""),
    st.binary(max_size=200),
    st.one_of(tables, meant, preuploads, batches, junk).map(lambda value: json.dumps(value).encode()),
    commits.map(lambda rows: b"\n".join(json.dumps(row).encode() for row in rows)),
    words.map(lambda word: b"paths=" + _segment(word).encode() + b"&expand=true"),
)

plain = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)
RANGES = ["bytes=0-1", "bytes=-0", "bytes=5-1", "bytes=0-0,2-3", "x"]
headers = st.lists(
    st.one_of(
        st.tuples(st.just("Range"), st.sampled_from(RANGES) | plain),
        st.tuples(st.just("If-Range"), plain),
        st.tuples(st.just("Host"), st.sampled_from(["evil.example", "a b", "[::1", ""]) | plain),
        st.tuples(st.just("Content-Type"), st.sampled_from(["application/json", "application/x-ndjson"]) | plain),
        st.tuples(st.sampled_from(["X-Odd", "Accept", "Cookie", "If-None-Match"]), plain),
    ),
    max_size=3,
)  # fmt: skip


def requests(tokens: list[str]) -> st.SearchStrategy[Sent]:
    """Requests whose caller is the owner, a reader, a stranger, nobody, or nonsense."""
    owner = st.just(f"Bearer {tokens[0]}")
    given = st.sampled_from([*(f"Bearer {token}" for token in tokens), "Bearer hf_wrong", "Basic eDp4"]) | plain
    callers = mostly(owner, mostly(given, st.none())).map(lambda text: (("Authorization", text),) if text else ())
    methods = mostly(st.none(), st.sampled_from(METHODS))  # mostly the one the endpoint is meant for
    return st.builds(
        lambda target, method, query, more, caller, body: Sent(
            method or target[0], target[1] + query, (*more, *caller), body),
        targets, methods, mostly(st.just(""), st.sampled_from(QUERIES)), headers, callers, bodies,
    )  # fmt: skip
