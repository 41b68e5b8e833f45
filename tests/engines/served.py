"""Folders of models -> a server process over them on loopback (`tests.engines.openai_app`)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from huggingface_hub.utils import httpx

ROOT = Path(__file__).parents[2]
BASE, ADAPTER = "someone/tiny-llava", "round-1"


class Endpoint:
    """A server at `endpoint`, what an engine is given."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"

    def lack(self, **what: Any) -> None:
        """Let the server lack something from now on, and fail nothing."""
        self.fail_next(0, 200, **what)

    def fail_next(self, times: int, status: int, **more: Any) -> None:
        """Let the next `times` chat requests fail with `status` (0: the connection breaks amid the answer)."""
        httpx.post(f"{self.endpoint}/faults", json={"times": times, "status": status, **more}, trust_env=False)

    def seen(self) -> dict[str, Any]:
        """What came in so far: requests, most under way at once, keys."""
        return httpx.get(f"{self.endpoint}/seen", trust_env=False).json()


class ServedModels(Endpoint):
    """The server process; `folders` is what each name is served from, `second` another server in it where asked for."""

    def __init__(self, folders: dict[str, tuple[Path, ...]], *, pair: bool = False) -> None:
        ports = [free_port() for _ in range(1 + pair)]
        super().__init__(ports[0])
        self.second = Endpoint(ports[-1])
        named = json.dumps({name: [str(folder) for folder in own] for name, own in folders.items()})
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.engines.openai_app", ",".join(map(str, ports)), named],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )
        deadline = time.monotonic() + 200  # ten times what it takes: the machine may be busy
        for port in ports:
            self._wait(port, deadline)

    def _wait(self, port: int, deadline: float) -> None:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the server did not start: {self.process.stderr!r}") from None
                time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)
        assert self.process.stderr
        self.process.stderr.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class ServedPolicy(ServedModels):
    """A server of a policy and its adapter."""

    def __init__(self, policy: Path, adapter: Path, names: tuple[str, str] = (BASE, ADAPTER)) -> None:
        super().__init__({names[0]: (policy,), names[1]: (policy, adapter)})
