"""Bodies, paths and names at their limits: refused with a reason that arrives, or given back as they were."""

from __future__ import annotations

import http.client
import socket
import time
import unicodedata
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, snapshot_download

from clincot.localhub import LocalHub

from .conftest import REPO, Ask, commit_body, text_file

API = f"/api/models/{REPO}"


def test_an_answer_given_before_the_body_arrived_still_arrives(api: HfApi, hub: LocalHub):
    """Closing a socket that holds unread bytes resets it, and the client would see no 401 but a broken connection."""
    body = b"x" * 3_000_000
    head = f"POST {API}/commit/main HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as connection:
        connection.sendall(head)
        time.sleep(0.2)
        connection.sendall(body)
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert (response.status, b"token" in response.read()) == (401, True)
        connection.sendall(b"GET /api/models HTTP/1.1\r\nHost: h\r\n\r\n")  # the connection is still good
        again = http.client.HTTPResponse(connection)
        again.begin()
        assert again.status == 200


def test_a_body_that_never_comes_does_not_hold_its_answer_back_for_long(api: HfApi, hub: LocalHub):
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as connection:
        connection.sendall(f"POST {API}/commit/main HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 401
    assert time.monotonic() - started < 6


def test_a_client_that_waits_to_be_asked_for_its_body_is_refused_without_it(api: HfApi, hub: LocalHub):
    head = f"POST {API}/commit/main HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n"
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 401")
    assert time.monotonic() - started < 1.5


def test_paths_and_bodies_are_bounded(api: HfApi, ask: Ask, hub: LocalHub, monkeypatch: pytest.MonkeyPatch):
    assert ask("GET", "/api/models/" + "a" * 17_000).status == 414
    monkeypatch.setattr("clincot.localhub.app.MAX_SMALL_BODY", 1000)
    monkeypatch.setattr("clincot.localhub.app.MAX_SPOOLED_BODY", 3000)
    monkeypatch.setattr("clincot.localhub.routes.payload.MAX_LINE", 2000)
    refused = ask("POST", f"{API}/preupload/main", b" " * 1001, token=hub.token)
    assert (refused.status, "larger than 1000" in refused.json["error"]) == (413, True)
    for size in (2001, 3001):
        body = commit_body(text_file("big.txt", "x" * size))
        assert ask("POST", f"{API}/commit/main", body, token=hub.token).status == 413
    assert api.list_repo_files(REPO) == [".gitattributes"]
    assert list((hub.path / "tmp").iterdir()) == []


NAMES = [
    "nfc \u00e9.txt",
    "nfd e\u0301.txt",
    "\u65e5\u672c\u8a9e/\u6a21\u578b.safetensors",
    "\u05e2\u05d1\u05e8\u05d9\u05ea.txt",
    "\U0001f9e0 brain.txt",
    "100%.txt",
    "%2e%2e.txt",
    "a+b&c=d;e.txt",
    "hash#query?.txt",
    "quote'\".txt",
    "[glob]*.txt",
    " leading.txt",
    "..dots..txt",
    "a" * 200 + ".txt",
]


def test_odd_names_come_back_as_they_went(api: HfApi, hub: LocalHub, tmp_path: Path):
    contents = {name: f"{number} {name}".encode() for number, name in enumerate(NAMES)}
    api.create_commit(REPO, [CommitOperationAdd(name, data) for name, data in contents.items()], commit_message="odd")
    assert set(api.list_repo_files(REPO)) == {*NAMES, ".gitattributes"}
    assert unicodedata.normalize("NFC", NAMES[1][4:]) == NAMES[0][4:]  # two files, although they look alike
    folder = Path(snapshot_download(REPO, endpoint=hub.endpoint, cache_dir=tmp_path / "cache", token=False))
    assert {name: (folder / name).read_bytes() for name in NAMES} == contents
    assert [row.path for row in api.get_paths_info(REPO, NAMES)] == NAMES


@pytest.mark.parametrize(
    "name", ["v..1", "a b", "x.lock", "-x", "a//b", "refs/heads/x@{1}", "x" * 300, "\x07", "a\\b", ""]
)
def test_names_git_does_not_take_are_no_branches_or_tags(api: HfApi, ask: Ask, hub: LocalHub, name: str):
    answer = ask("POST", f"{API}/tag/main", {"tag": name}, token=hub.token)
    if name == "-x":  # git's plumbing takes it
        assert answer.status in (200, 400)
        return
    assert answer.status == 400, name
    assert api.list_repo_refs(REPO).tags == []


def test_what_is_not_served_says_which_endpoint(api: HfApi, ask: Ask, hub: LocalHub):
    asked = [
        ("GET", f"{API}/xet-write-token/main"),
        ("POST", "/api/collections"),
        ("POST", f"{API}/duplicate"),
        ("POST", "/api/repos/move"),
        ("GET", "/api/spaces/clincot/thing/runtime"),
        ("POST", "/api/jobs/clincot"),
        ("GET", "/api/settings/webhooks"),
        ("POST", "/api/models/clincot/thing/lfs-files/delete"),
        ("GET", "/buckets/clincot/thing"),
        ("PATCH", API),
    ]
    for method, path in asked:
        answer = ask(method, path, b"{}", token=hub.token)
        assert (answer.status, answer.headers["x-error-code"]) == (501, "NotImplemented"), path
        assert answer.json["error"] == f"The embedded Hub does not serve {method} {path}"
    discussion = ask("POST", f"{API}/discussions", {"title": "t", "pullRequest": False}, token=hub.token)
    assert (discussion.status, discussion.headers["x-error-code"]) == (501, "NotImplemented")
