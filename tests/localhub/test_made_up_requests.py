"""10,000 made-up requests: no 500, nothing opened or changed outside the Hub's folder, no secret shown, no hang."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clincot.localhub import LocalHub

from .requests_made_up import Sent, requests

SECRET = b"the secret of another folder"
PRIVATE = b"private words of the owner"
PER_EXAMPLE = 20
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate"}
_watch: list[tuple[str, set[str]]] = []


def _audit(event: str, args: tuple) -> None:
    """Note every file that is opened for writing, and every name that is changed, outside the watched folder."""
    if not _watch or event not in CHANGES | {"open"} or threading.current_thread() is threading.main_thread():
        return  # the server answers in threads of its own; the main thread is this test's
    root, escapes = _watch[0]
    paths = args[:2] if event in {"os.rename", "os.link", "os.symlink"} else args[:1]
    for path in paths:
        if event == "open" and not (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            outside = isinstance(path, (str, bytes)) and os.fsdecode(path).endswith("secret")
        else:
            outside = isinstance(path, (str, bytes)) and not os.path.realpath(os.fsdecode(path)).startswith(root)
        if outside:
            escapes.add(f"{event} {path!r}")


sys.addaudithook(_audit)


@contextmanager
def watched(folder: Path) -> Iterator[set[str]]:
    escapes: set[str] = set()
    _watch.append((os.path.realpath(folder) + os.sep, escapes))
    try:
        yield escapes
    finally:
        _watch.clear()


@pytest.fixture
def tokens(api: HfApi, hub: LocalHub, tmp_path: Path) -> list[str]:
    """A public repo with a tag, a private one, a secret beside the Hub, and three tokens."""
    adds = [CommitOperationAdd(path, b"x" * 20) for path in ("a.txt", "w.bin", "sub/b.txt")]
    api.create_commit("clincot/thing", adds, commit_message="first")
    api.create_tag("clincot/thing", tag="v1")
    api.create_repo("clincot/private", private=True)
    api.upload_file(path_or_fileobj=PRIVATE, path_in_repo="a.txt", repo_id="clincot/private")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(SECRET)
    rows = {"hf_reader_of_things": {"name": "reader", "role": "read", "namespaces": []}}
    rows["hf_stranger_writing"] = {"name": "stranger", "role": "write"}
    (hub.path / "tokens.json").write_text(json.dumps(rows))
    return [hub.token, *rows]


def send(port: int, request: Sent) -> tuple[int, bytes]:
    """In one piece: the server may close after a head that is no HTTP, and a body still on its way would reset it."""
    named = any(name == "Host" for name, _ in request.headers)
    rows = [*([] if named else [("Host", "127.0.0.1")]), *request.headers]
    rows += [("Content-Length", str(len(request.body)))] if request.body else []
    head = f"{request.method} {request.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in rows)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode("latin-1") + b"\r\n" + request.body)
        response = http.client.HTTPResponse(connection, method=request.method)
        response.begin()
        return response.status, response.read()


def barrage(hub: LocalHub, tokens: list[str], count: int) -> tuple[Counter[int], float]:
    """Send `count` requests; returns how many got which status, and the longest wait in seconds."""
    statuses: Counter[int] = Counter()
    slowest = 0.0

    @settings(max_examples=count // PER_EXAMPLE, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(requests(tokens), min_size=PER_EXAMPLE, max_size=PER_EXAMPLE))
    def shoot(batch: list[Sent]) -> None:
        nonlocal slowest
        for request in batch:
            started = time.monotonic()
            status, body = send(hub.port, request)
            slowest = max(slowest, time.monotonic() - started)
            statuses[status] += 1
            assert status != 500 and status < 600, (request, body)
            assert SECRET not in body and hub.token.encode() not in body, request
            owner = ("Authorization", f"Bearer {hub.token}") in request.headers
            assert owner or PRIVATE not in body, request

    shoot()
    return statuses, slowest


def test_made_up_requests_break_nothing(api: HfApi, hub: LocalHub, tokens: list[str], tmp_path: Path):
    survive(api, hub, tokens, tmp_path, 200)


@pytest.mark.long
def test_ten_thousand_made_up_requests_break_nothing(api, hub, tokens, tmp_path, capsys):
    started = time.monotonic()
    statuses, slowest = survive(api, hub, tokens, tmp_path, 10_000)
    with capsys.disabled():
        shown = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
        seconds = time.monotonic() - started
        print(f"\n{statuses.total()} made-up requests in {seconds:.0f} s, slowest {slowest:.2f} s: {shown}")


def survive(api: HfApi, hub: LocalHub, tokens: list[str], folder: Path, count: int) -> tuple[Counter[int], float]:
    beside = sorted(path for path in folder.iterdir())
    with watched(folder) as escapes:
        statuses, slowest = barrage(hub, tokens, count)
    assert statuses.total() >= count
    assert escapes == set()
    assert sorted(path for path in folder.iterdir()) == beside
    assert (folder / "outside/secret").read_bytes() == SECRET
    assert {path.name for path in hub.path.iterdir()} <= {"repos", "lfs", "tmp", "token", "tokens.json", "client"}
    assert [path for path in hub.path.rglob("*") if path.is_symlink()] == []
    api.create_repo("clincot/after")
    api.upload_file(path_or_fileobj=b"still works", path_in_repo="a.txt", repo_id="clincot/after")
    return statuses, slowest
