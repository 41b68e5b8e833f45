"""A folder -> `clincot hub serve` over it as a real process, behind a door that can act at one chosen request."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
NO_LIMIT = resource.RLIM_INFINITY


class Served:
    """The server process of one folder, always on the same port."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder, self.port = folder, port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> None:
        command = [sys.executable, "-m", "clincot", "hub", "serve", str(self.folder), "--port", str(self.port)]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
        self.starts += 1
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start: {self.process.stderr and self.process.stderr.read()!r}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: the process has no chance to tidy up."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.process.stderr:
                self.process.stderr.close()

    def fill_disk(self) -> None:
        """From now on the kernel lets the process append to no file."""
        self._limit(0)

    def free_disk(self) -> None:
        self._limit(NO_LIMIT)

    def _limit(self, size: int) -> None:
        assert self.process is not None
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, NO_LIMIT))

    def peak_memory(self) -> int:
        """The most bytes the process has held resident so far."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=10)
        self.kill()


@dataclass
class Plan:
    """Act once, at the first request that matches; `when` is before the server sees it, amid its work, or after it."""

    method: str
    match: str
    when: str
    act: Callable[[], None]
    lose_answer: bool
    fired: bool = False
    guard: threading.Lock = field(default_factory=threading.Lock)

    def due(self, method: str, path: str) -> bool:
        with self.guard:
            if self.fired or method != self.method or not re.search(self.match, path):
                return False
            self.fired = True
            return True


class Door:
    """A TCP listener in front of a server; requests pass through unchanged, one per connection."""

    AMID_SECONDS = 0.004

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.plan: Plan | None = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:  # closed: the test is over
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # OSError: the server is down, so the client sees its connection closed.
        with closing(client), client.makefile("rb") as incoming, suppress(OSError):
            request = read_request(incoming)
            if request is not None:
                self._pass(client, *request)

    def _pass(self, client: socket.socket, method: str, path: str, request: bytes) -> None:
        plan = self.plan if self.plan is not None and self.plan.due(method, path) else None
        if plan is not None and plan.when == "before":
            plan.act()
            if plan.lose_answer:
                return
        with socket.create_connection(("127.0.0.1", self.upstream), timeout=60) as server:
            server.sendall(request)
            if plan is not None and plan.when == "amid":
                time.sleep(self.AMID_SECONDS)
                plan.act()
            answer = b"".join(iter(lambda: server.recv(1 << 16), b""))
        if plan is not None and plan.when == "after":
            plan.act()
            if plan.lose_answer:
                return
        client.sendall(answer)

    def close(self) -> None:
        self.listener.close()


def read_request(incoming: BinaryIO) -> tuple[str, str, bytes] | None:
    """Method, path and the bytes of one request, rewritten to close its connection; None at the end."""
    first = incoming.readline()
    if not first.strip():
        return None
    method, path, _ = first.decode("latin-1").split(" ", 2)
    headers = list(iter(incoming.readline, b"\r\n"))
    names = {name.strip().lower(): value.strip() for name, _, value in (row.partition(b":") for row in headers)}
    kept = [row for row in headers if not row.lower().startswith(b"connection:")]
    head = b"".join([first, *kept, b"Connection: close\r\n\r\n"])
    if names.get(b"transfer-encoding", b"").lower() == b"chunked":
        return method, path, head + b"".join(_chunks(incoming))
    return method, path, head + incoming.read(int(names.get(b"content-length", b"0")))


def _chunks(incoming: BinaryIO) -> Iterator[bytes]:
    while True:
        line = incoming.readline()
        size = int(line, 16)
        yield line + incoming.read(size + 2)
        if size == 0:
            return


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    server = Served(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
