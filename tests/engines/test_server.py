"""Replies with status 200 that are no answers: pages, and JSON of another shape, are told as such."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from clincot.engines import _server
from clincot.engines._server import Reach, Server
from clincot.errors import ModelError
from clincot.lm.requests import Counters


class Says(BaseHTTPRequestHandler):
    """Answers whatever is asked with `body`."""

    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(_server, "sleep", lambda seconds: None)
    with HTTPServer(("127.0.0.1", 0), Says) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Server(f"http://127.0.0.1:{http.server_port}", Counters(), Reach(timeout=5, tries=2))
        http.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "body", [b"[]", b'"up"', b"null", b'{"data": ["x"]}', b'{"data": "x"}', b'{"data": {"id": 1}}']
)
def test_a_list_of_models_in_another_shape_is_an_error(body: bytes, server: Server, monkeypatch) -> None:
    monkeypatch.setattr(Says, "body", body)
    with pytest.raises(ModelError, match="another shape than OpenAI's .* is no list of models.*models.policy.endpoint"):
        server.models()
    assert server.counters.retries == 0


@pytest.mark.parametrize("body", [b"[]", b"3", b'[{"choices": []}]'])
def test_a_chat_completion_in_another_shape_is_an_error(body: bytes, server: Server, monkeypatch) -> None:
    monkeypatch.setattr(Says, "body", body)
    with pytest.raises(ModelError, match="another shape than OpenAI's.*models.policy.endpoint"):
        server.chat("policy", [{"role": "user", "content": "?"}])
    assert server.counters.retries == 0


def test_a_page_is_an_error_and_a_list_of_no_models_is_none(server: Server, monkeypatch) -> None:
    monkeypatch.setattr(Says, "body", b"<html>")
    with pytest.raises(ModelError, match="gives no answer after 2 tries"):
        server.models()
    for body in (b"{}", b'{"data": null}', b'{"data": []}'):
        monkeypatch.setattr(Says, "body", body)
        assert server.models() == ()
    monkeypatch.setattr(Says, "body", b'{"data": [{"id": "policy"}]}')
    assert server.models() == ("policy",)
