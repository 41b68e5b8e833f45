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


class ServedModels:
    """The server process; `endpoint` is what an engine is given, `folders` what each name is served from."""

    def __init__(self, folders: dict[str, tuple[Path, ...]]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        named = json.dumps({name: [str(folder) for folder in own] for name, own in folders.items()})
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.engines.openai_app", str(port), named],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )
        deadline = time.monotonic() + 200  # ten times what it takes: the machine may be busy
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the server did not start: {self.process.stderr!r}") from None
                time.sleep(0.05)

    def lack(self, **what: Any) -> None:
        """Let the server lack something from now on, and fail nothing."""
        self.fail_next(0, 200, **what)

    def fail_next(self, times: int, status: int, **more: Any) -> None:
        """Let the next `times` chat requests fail with `status` (0: the connection breaks amid the answer)."""
        httpx.post(f"{self.endpoint}/faults", json={"times": times, "status": status, **more}, trust_env=False)

    def seen(self) -> dict[str, Any]:
        """What came in so far: requests, most under way at once, keys."""
        return httpx.get(f"{self.endpoint}/seen", trust_env=False).json()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)
        assert self.process.stderr
        self.process.stderr.close()


class ServedPolicy(ServedModels):
    """A server of a policy and its adapter."""

    def __init__(self, policy: Path, adapter: Path, names: tuple[str, str] = (BASE, ADAPTER)) -> None:
        super().__init__({names[0]: (policy,), names[1]: (policy, adapter)})
