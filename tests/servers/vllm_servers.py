"""A role of the phantom -> a real vLLM server over its model on loopback, in a process group that ends with the tests.

It is started by recipes/servers/cpu.sh, so that what users copy is what runs here.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from environment import PRELOADED, PYTHON
from huggingface_hub.utils import httpx

import clincot.phantom

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "recipes" / "servers" / "cpu.sh"
MODELS = Path(clincot.phantom.__file__).parent / "models"
NAMES = {"policy": "clincot/phantom-policy", "judge-a": "clincot/phantom-judge-a"}
LIFE = 2400  # seconds after which a server ends whatever becomes of the tests
READY = 1200  # five processes import torch one after the other: a minute on an idle machine, ten on a busy one


class Vllm:
    """A server process; `endpoint` is what a recipe names, `log` what it wrote."""

    def __init__(self, role: str, models: Path, log: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.role, self.log, self.started = role, log, time.monotonic()
        self.endpoint = f"http://127.0.0.1:{port}/v1"
        command = ["timeout", "--kill-after=10", str(LIFE), "sh", str(SCRIPT), role, str(port)]
        with log.open("w") as file:
            self.process = subprocess.Popen(
                command, env=environment(models), stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )

    def wait(self) -> float:
        """Return after how many seconds the server answers; raise with the end of its log where it does not."""
        health = self.endpoint.removesuffix("/v1") + "/health"
        while time.monotonic() - self.started < READY and self.process.poll() is None:
            try:
                if httpx.get(health, trust_env=False, timeout=5).status_code == 200:
                    return time.monotonic() - self.started
            except httpx.HTTPError:
                pass
            time.sleep(0.5)
        raise RuntimeError(f"{self.role} did not start:\n" + "\n".join(self.log.read_text().splitlines()[-40:]))

    def stop(self) -> None:
        """End the process group."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(timeout=20)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


def environment(models: Path) -> dict[str, str]:
    """Return the variables of a server: without this process's packages, and without a proxy to fail on."""
    own = {"PYTHONPATH", "HTTP_PROXY", "HTTPS_PROXY"}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return kept | {"PYTHON": str(PYTHON), "MODELS": str(models), "LD_PRELOAD": str(PRELOADED)}
