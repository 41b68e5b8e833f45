"""Paths with a status and a body each -> a real HTTP server that answers so: what a server says of itself."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from clincot.engines.plain_server import PlainServer
from clincot.engines.server_look import ServerLook


class CannedServer:
    """Answers each path with a status and a body: JSON, or text as it is; `asked` are the bodies that came in."""

    def __init__(self) -> None:
        self.by_path: dict[str, tuple[int, Any]] = {}
        self.asked: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                outer.asked.append(json.loads(self.rfile.read(length)))
                self.do_GET()

            def do_GET(self) -> None:
                status, body = outer.by_path.get(self.path, (404, {"detail": "Not Found"}))
                if callable(body):
                    body = body(outer.asked[-1])
                text = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                if status == 307:
                    self.send_header("location", "http://127.0.0.1:1/elsewhere")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def look(self, **by_path: tuple[int, Any]) -> ServerLook:
        """Return a look at model `m` of a server that has these paths alone."""
        self.by_path, self.asked = by_path, []
        return ServerLook(PlainServer(self.endpoint, key_env="NO_SUCH_KEY", timeout=5), "m")

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
