"""Hypothesis strategies -> HTTP requests that mix real endpoints, names and bodies with hostile ones."""

from __future__ import annotations

import base64
import json
from typing import NamedTuple
from urllib.parse import quote

from hypothesis import strategies as st

OID = "0" * 64
HOSTILE = ["..", "../..", "../../../../outside/secret", "/etc/passwd", "\0", "a\0b", ".git", ".GIT/config", "a\\b", "~"]
HOSTILE += ["\u202e.git", ".g\u200cit", "CON", "e\u0301", "\u00e9", "\U0001f600", "%", "%2e%2e", "a b", "#", "?", ";", " "]
HOSTILE += ["refs/heads/main", "refs/pr/1", "refs/tags/v1", "refs/../../x", "HEAD", "@{0}", "-", "--upload-pack=x", "a" * 300]
REAL = ["main", "v1", "a.txt", "w.bin", "sub", "sub/b.txt", "clincot", "thing", "private", "README.md", OID, "1", "hub.json"]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]

words = st.sampled_from(REAL) | st.sampled_from(HOSTILE) | st.text(max_size=12)
kinds = st.sampled_from(["models", "datasets", "spaces", "buckets"])
repos = st.sampled_from(["clincot/thing", "clincot/private", "gpt2", "clincot/new"]) | words
ACTIONS = "revision tree paths-info refs commits preupload commit tag branch super-squash settings auth-check".split()
ACTIONS += ["discussions", "discussions/1", "discussions/1/merge", "xet-write-token", "resolve", "raw"]


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


api_paths = st.builds(
    lambda kind, repo, action, rev, rest: f"/api/{kind}/{_path(repo)}/{action}/{_segment(rev)}" + rest,
    kinds, repos, st.sampled_from(ACTIONS), words, st.just("") | words.map(lambda word: "/" + _path(word)),
)  # fmt: skip
file_paths = st.builds(
    lambda prefix, repo, action, rev, path: f"/{prefix}{_path(repo)}/{action}/{_segment(rev)}/{_path(path)}",
    st.sampled_from(["", "datasets/", "spaces/"]), repos, st.sampled_from(["resolve", "raw", "blob"]), words, words,
)  # fmt: skip
lfs_paths = st.builds(
    lambda repo, end: f"/{_path(repo)}.git/info/lfs/objects/{end}",
    repos, st.sampled_from(["batch", "verify", OID]) | words.map(_segment),
)  # fmt: skip
fixed_paths = st.sampled_from(
    ["/", "/api/whoami-v2", "/api/repos/create", "/api/repos/delete", "/api/validate-yaml", "/api/models", "/api/spaces"]
    + ["/api/telemetry/x", "/../../outside/secret", "//", "/api//models", "/clincot/thing/resolve/main/../../../token"]
)
odd_paths = st.text(max_size=60).map(lambda text: "/" + _path(text))
QUERIES = ["", "?recursive=true", "?expand=1&blobs=true", "?cursor=-1", "?cursor=99999999999999999999", "?limit=0"]
QUERIES += ["?create_pr=1", "?filter=%00&author=..", "?size=1&expires=9&ticket=x", "?size=x", "?%ff=%ff", "?limit=1"]
paths = st.builds(
    lambda path, query: path + query,
    st.one_of(api_paths, file_paths, lfs_paths, fixed_paths, odd_paths),
    st.sampled_from(QUERIES),
)

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
KEYS = ["path", "content", "encoding", "oid", "size", "algo", "summary", "parentCommit", "name", "organization", "type"]
KEYS += ["private", "visibility", "gated", "tag", "message", "files", "sample", "gitIgnore", "operation", "objects"]
KEYS += ["paths", "pullRequest", "title", "startingPoint", "sdk", "repoType", "description"]
GOOD = ["utf-8", "base64", "upload", "download", "sha256", "model", "dataset", "public", True, False, [], {}]
tables = st.dictionaries(st.sampled_from(KEYS), junk | st.sampled_from(GOOD), max_size=6)
preuploads = st.lists(st.fixed_dictionaries({"path": words, "size": st.integers(), "sample": words}), max_size=3).map(
    lambda files: {"files": files}
)
batches = st.fixed_dictionaries(
    {
        "operation": st.sampled_from(["upload", "download", "verify"]),
        "objects": st.lists(st.fixed_dictionaries({"oid": st.just(OID) | words, "size": st.integers()}), max_size=3),
    }
)
edits = st.one_of(
    st.builds(lambda path, text: {"key": "file", "value": {"path": path, "content": text, "encoding": "utf-8"}}, words, words),
    st.builds(lambda path, data: {"key": "file", "value": {"path": path, "content": base64.b64encode(data).decode(),
                                  "encoding": "base64"}}, words, st.binary(max_size=40)),
    st.builds(lambda path: {"key": "deletedFile", "value": {"path": path}}, words),
    st.builds(lambda path: {"key": "deletedFolder", "value": {"path": path}}, words),
    st.builds(lambda path, oid: {"key": "lfsFile", "value": {"path": path, "oid": oid}}, words, st.just(OID) | words),
    st.builds(lambda key, value: {"key": key, "value": value}, words, junk),
)  # fmt: skip
headers_of_commits = st.builds(lambda summary: {"key": "header", "value": {"summary": summary}}, words)
commits = st.builds(lambda head, rows: [head, *rows], headers_of_commits, st.lists(edits, max_size=3))
bodies = st.one_of(
    st.just(b""),
    st.binary(max_size=200),
    st.one_of(tables, preuploads, batches, junk).map(lambda value: json.dumps(value).encode()),
    commits.map(lambda rows: b"\n".join(json.dumps(row).encode() for row in rows)),
    words.map(lambda word: b"paths=" + _segment(word).encode() + b"&expand=true"),
)

plain = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)
headers = st.lists(
    st.one_of(
        st.tuples(st.just("Range"), st.sampled_from(["bytes=0-1", "bytes=-0", "bytes=5-1", "bytes=0-0,2-3", "x"]) | plain),
        st.tuples(st.just("If-Range"), plain),
        st.tuples(st.just("Host"), st.sampled_from(["evil.example", "a b", "[::1", ""]) | plain),
        st.tuples(st.just("Content-Type"), st.sampled_from(["application/json", "application/x-ndjson"]) | plain),
        st.tuples(st.sampled_from(["X-Odd", "Accept", "Cookie", "If-None-Match"]), plain),
    ),
    max_size=3,
)  # fmt: skip


def requests(tokens: list[str]) -> st.SearchStrategy[Sent]:
    """Requests whose caller is the owner, a reader, a stranger, nobody, or nonsense."""
    given = st.sampled_from([*(f"Bearer {token}" for token in tokens), "Bearer hf_wrong", "Basic eDp4"]) | plain
    callers = st.one_of(st.just(()), given.map(lambda value: (("Authorization", value),)))
    return st.builds(
        lambda method, path, more, caller, body: Sent(method, path, (*more, *caller), body),
        st.sampled_from(METHODS), paths, headers, callers, bodies,
    )  # fmt: skip
