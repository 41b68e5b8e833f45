"""The supported versions of the Hub's client and of `datasets` -> one environment each below `.venv/clients/`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".venv" / "clients"
VERSIONS = {
    "0.36.2": ["huggingface_hub==0.36.2"],
    "1.6.0": ["huggingface_hub==1.6.0", "typer<0.21"],  # later ones ship without click, which its CLI imports
    "1.32.0": ["huggingface_hub==1.32.0"],
    "2.4.0": ["huggingface_hub==2.4.0"],
}
READERS = {f"datasets-{version}": [f"datasets=={version}", "pillow"] for version in ("3.6.0", "4.4.1", "5.2.0")}


def program(version: str, name: str) -> Path:
    """A program (`python`, `hf`) of a version's environment."""
    return CACHE / version / "bin" / name


def make(version: str) -> None:
    folder = CACHE / version
    ready = folder / ".ready"
    if ready.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    subprocess.run(
        [program(version, "python"), "-m", "pip", "install", "--quiet", *(VERSIONS | READERS)[version]], check=True
    )
    ready.touch()


if __name__ == "__main__":
    for wanted in sys.argv[1:] or VERSIONS | READERS:
        make(wanted)
