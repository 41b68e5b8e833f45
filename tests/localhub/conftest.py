"""A running embedded Hub over a fresh folder, a client for it, and a plain HTTP door to it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import huggingface_hub.constants
import pytest
from huggingface_hub import HfApi

from clincot.localhub import LocalHub

REPO = "clincot/thing"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)


Ask = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _client_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What `environment()` exports, for a client that is imported already."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "client-cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    with LocalHub(tmp_path / "hub") as running:
        yield running


@pytest.fixture
def api(hub: LocalHub) -> HfApi:
    """The owner's client with one repo, `clincot/thing`, made."""
    client = HfApi(endpoint=hub.endpoint, token=hub.token)
    client.create_repo(REPO)
    return client


@pytest.fixture
def ask(hub: LocalHub) -> Ask:
    """Send exactly these bytes as path and body; no client in between that would tidy them."""

    def send(method: str, path: str, body: object = None, token: str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        payload = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        try:
            connection.request(method, path, payload, sent)
            response = connection.getresponse()
            return Answer(
                response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()
            )
        finally:
            connection.close()

    return send


def commit_body(*lines: dict, summary: str = "test", parent: str | None = None) -> bytes:
    """An NDJSON commit with its header."""
    header = {"summary": summary} | ({"parentCommit": parent} if parent else {})
    rows = [{"key": "header", "value": header}, *lines]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def text_file(path: str, content: str) -> dict:
    return {"key": "file", "value": {"path": path, "content": content, "encoding": "utf-8"}}
