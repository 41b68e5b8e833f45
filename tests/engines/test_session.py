"""Requests reach the host that was named and no other: redirects end there, proxies see nothing of loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from clincot.engines._server import Reach, Server
from clincot.errors import ModelError
from clincot.lm.requests import Counters


class Node(ThreadingHTTPServer):
    """A server that lists no models, or sends everything on to `to`; `asked` is what came in."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[str] = []
        self.to, self.status = "", 307

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Node

    def do_GET(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status if self.server.to else 200)
        if self.server.to:
            self.send_header("Location", self.server.to)
        body = b'{"data": [], "choices": []}'
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def nodes() -> Iterator[tuple[Node, Node]]:
    with ExitStack() as stack:
        both = (stack.enter_context(Node()), stack.enter_context(Node()))
        for node in both:
            thread = threading.Thread(target=node.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(node.shutdown)
        yield both


def server(url: str) -> Server:
    return Server(url, Counters(), Reach(timeout=5, tries=1))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_not_even_on_the_same_machine(nodes: tuple[Node, Node], status: int) -> None:
    near, far = nodes
    near.to, near.status = f"{far.url}/v1/chat/completions", status
    with pytest.raises(ModelError, match=rf"sends chat/completions on to {far.url}.*Give that server"):
        server(near.url).chat("m", [{"role": "user", "content": "a patient's report"}])
    with pytest.raises(ModelError, match="sends models on to"):
        server(near.url).models()
    assert len(near.asked) == 2 and far.asked == []


def test_a_proxy_of_the_environment_sees_nothing_of_loopback_and_what_goes_to_other_hosts(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, proxy = nodes
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    assert server(near.url).models() == ()
    assert near.asked == ["GET /v1/models"] and proxy.asked == []
    assert server("http://gpu-1.invalid:8000").models() == ()  # only the proxy could resolve it
    assert proxy.asked == ["GET http://gpu-1.invalid:8000/v1/models"]
