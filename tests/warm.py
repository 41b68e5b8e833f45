"""A Python module and its words -> its end, in a fork of a process that has loaded torch: that takes three seconds.

The child is a process like any other, with its environment, folder, streams and exit code. `LOADED` has nothing that
reads an environment variable of a Hub: huggingface_hub, transformers and datasets are imported by each child. Tests
that watch a process while it runs, or ask what it loads, start one from nothing. So do those that repeat a build: the
children of one process hash strings alike.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from tempfile import NamedTemporaryFile
from typing import Any

# They start no thread; a child would be without it.
LOADED = (
    *("torch", "torch._dynamo", "torch.distributed.tensor", "torch.fx.experimental.symbolic_shapes", "numpy"),
    *("PIL.Image", "anyio", "dill", "dulwich.repo", "jinja2", "nltk", "pydantic", "rich.live", "rich.table"),
    *("starlette.applications", "typer", "uvicorn", "yaml"),
)
START = 280.0  # seconds for the imports before the first fork, on a busy machine
LIBRARIES = (*LOADED, "datasets", "huggingface_hub", "peft", "pytest", "transformers.modeling_utils", "trl")


@dataclass(frozen=True)
class Program:
    """`python -m WORDS` in a folder, with all its environment."""

    words: tuple[str, ...]
    cwd: str
    env: dict[str, str]


class Nursery:
    """The process that forks, and the way to ask it for one child at a time."""

    def __init__(self, loaded: tuple[str, ...]) -> None:
        words = [sys.executable, "-u", __file__, *loaded]
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # each child has its own
        pipe = subprocess.PIPE  # unbuffered: `select` does not see what a buffer has read already
        self.process = subprocess.Popen(words, env=clean, stdin=pipe, stdout=pipe, bufsize=0)
        atexit.register(self.close)

    def run(self, program: Program, timeout: float) -> subprocess.CompletedProcess[str]:
        """Return the ended program with what it wrote; after `timeout` seconds kill it and raise TimeoutExpired."""
        with ExitStack() as stack:
            files = [stack.enter_context(NamedTemporaryFile("r", encoding="utf-8")) for _ in range(2)]
            self._write([program.words, program.cwd, program.env, [file.name for file in files]])
            child = self._read(START)
            try:
                code = self._read(timeout)
            except BaseException:
                os.kill(child, signal.SIGKILL)
                self._read(START)
                raise
            return subprocess.CompletedProcess(program.words, code, *(file.read() for file in files))

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _write(self, value: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(value).encode() + b"\n")

    def _read(self, timeout: float) -> int:
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a fork", timeout)
        return int(self.process.stdout.readline())


@cache
def nursery(loaded: tuple[str, ...] = LOADED) -> Nursery:
    """Return the process with the modules `loaded`, started on first use."""
    return Nursery(loaded)


def serve() -> Program | None:
    """Fork for each program that stdin asks for; returns the program in the child, None at the end of stdin."""
    for line in iter(sys.stdin.readline, ""):
        words, cwd, env, streams = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(cwd, env, streams)
            return Program(tuple(words), cwd, env)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return None


def _become(cwd: str, env: dict[str, str], streams: list[str]) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for number, place in enumerate(streams, 1):
        os.dup2(os.open(place, os.O_WRONLY | os.O_APPEND), number)
    os.closerange(3, 256)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    own = env.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [cwd, *filter(None, own), *(path for path in sys.path[1:] if path not in own)]


if __name__ == "__main__":
    import runpy
    from importlib import import_module

    for name in sys.argv[1:]:
        import_module(name)
    asked = serve()
    if asked is not None:
        sys.argv = [*asked.words]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
