"""A folder -> a running Hub on a port of this machine, in a background thread or until Ctrl-C."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .env import write_token
from .faults import Fault, Log, RequestRecord

if TYPE_CHECKING:
    import uvicorn

    from .routes.info import RepoSummary

START_SECONDS = 20.0


class PortInUse(OSError):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            errno.EADDRINUSE, f"port {port}: in use by another program. Choose another, or 0 for a free one."
        )
        self.port = port

    def __str__(self) -> str:
        return str(self.strerror)


class LocalHub:
    """An embedded Hub over `path`, which is made when missing; several processes may serve one folder.

    `requests` records what was answered, `faults` is filled by tests. Use as a context manager or with start, stop.
    """

    def __init__(self, path: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        from .storage.store import Store

        self.path, self.host, self.port = Path(path), host, port
        self.token = write_token(self.path)
        self.store = Store(self.path)
        self.store.prepare()
        self._log = Log()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def requests(self) -> list[RequestRecord]:
        return self._log.records

    @property
    def faults(self) -> list[Fault]:
        return self._log.faults

    @property
    def endpoint(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else "127.0.0.1" if self.host == "0.0.0.0" else self.host
        return f"http://{host}:{self.port}"

    def start(self) -> LocalHub:
        """Listen and return once requests are answered; PortInUse when the port is taken."""
        import uvicorn

        from .access import Access
        from .app import HubApp

        listener = _listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        app = HubApp(self.store, Access(self.path, self.token), self._log, self.endpoint, self._drop)
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, log_level="critical", access_log=False, timeout_graceful_shutdown=5
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="localhub", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"the embedded Hub over {self.path} did not start")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Finish the requests under way, then close the port."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(timeout=START_SECONDS)
        self._server = self._thread = None

    def __enter__(self) -> LocalHub:
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def seed(self, kind: str, repo: str, files: dict[str, bytes], tag: str | None = None) -> str:
        """Commit `files` without a client or a server, making the repo when missing; returns the commit sha."""
        from .seeding import seed

        return seed(self.store, kind, repo, files, tag)

    def repos(self) -> list[RepoSummary]:
        return list_repos(self.path)

    def _drop(self, scope: Any, flush: bool) -> None:
        """Close the connection a request came on: at once, or after what was written has left."""
        assert self._server is not None
        for connection in list(self._server.server_state.connections):
            if getattr(connection, "client", None) == scope["client"]:
                transport = connection.transport
                transport.close() if flush else transport.abort()


def list_repos(path: Path) -> list[RepoSummary]:
    """Every repo of a Hub folder; no server needed, and an absent folder has none."""
    from .names import KINDS
    from .routes.info import summaries
    from .storage.store import Store

    return summaries(Store(Path(path)), KINDS)


def serve_forever(
    path: Path, host: str = "127.0.0.1", port: int = 0, on_ready: Callable[[LocalHub], None] | None = None
) -> None:
    """Serve until Ctrl-C, which returns normally."""
    hub = LocalHub(path, host, port).start()
    try:
        if on_ready is not None:
            on_ready(hub)
        threading.Event().wait()
    except KeyboardInterrupt:
        return
    finally:
        hub.stop()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer waits 42 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(port) from error
        raise
    return listener
