"""A folder of a model -> a vLLM server on this machine's CPU, whose caches can be emptied and whose time is counted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub.utils import httpx

BLOCK = 32  # tokens; on a CPU a multiple of 32
LONGEST = 1200  # seconds until it answers: it imports torch five times
FLAGS = (
    *("--dtype", "float32", "--max-model-len", "1024", "--max-num-seqs", "8", "--enforce-eager"),
    *("--generation-config", "vllm", "--enable-prefix-caching", "--enable-prompt-tokens-details"),
    *("--block-size", str(BLOCK), "--limit-mm-per-prompt", '{"image": 2}'),
    *("--mm-processor-kwargs", '{"backend": "pil"}'),  # resizes as in process
)
VARIABLES = {
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_ENGINE_READY_TIMEOUT_S": str(LONGEST),
    "VLLM_SERVER_DEV_MODE": "1",  # it can be asked to empty its caches
}


@dataclass(frozen=True)
class Vllm:
    """A server that answers at `url`, in the process group `group`; `started` seconds after its start."""

    url: str
    group: int
    started: float

    def cpu_seconds(self) -> float:
        """Return the CPU seconds so far of its processes."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            if int(fields[2]) == self.group:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def empty(self) -> None:
        """Let it forget all prompts and images."""
        for what in ("prefix", "mm", "encoder"):
            httpx.post(f"{self.url}/reset_{what}_cache", trust_env=False, timeout=60).raise_for_status()


@contextmanager
def serving(model: Path, name: str, python: Path, blocks: int = 0) -> Iterator[Vllm]:
    """Serve `model` as `name`, by the interpreter `python`, with room for so many blocks (0: 1 GiB of them).

    Raises RuntimeError with the end of its log when it does not start. It ends with the context.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    python = python.absolute()
    words = ["--model", str(model), "--served-model-name", name, "--host", "127.0.0.1", "--port", str(port), *FLAGS]
    words += ["--num-gpu-blocks-override", str(blocks)] if blocks else []
    own = {"PYTHONPATH", "HTTP_PROXY", "HTTPS_PROXY"}
    variables = {key: value for key, value in os.environ.items() if key not in own} | VARIABLES
    # vLLM looks its OpenMP up among the preloaded libraries.
    variables["LD_PRELOAD"] = str(python.parents[1] / "lib" / "libiomp5.so")
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [str(python), "-m", "vllm.entrypoints.openai.api_server", *words],
            env=variables,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            started = _wait(process, url)
            if started is None:
                log.seek(0)
                raise RuntimeError("vLLM did not start:\n" + "\n".join(log.read().splitlines()[-40:]))
            yield Vllm(url, process.pid, started)
        finally:
            _end(process)


def _wait(process: subprocess.Popen[bytes], url: str) -> float | None:
    """Return after how many seconds it answers, None where it ends or takes too long."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < LONGEST and process.poll() is None:
        try:
            if httpx.get(f"{url}/health", trust_env=False, timeout=5).status_code == 200:
                return passed
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=20)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
