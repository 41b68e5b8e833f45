"""This machine and its installed packages -> the lines that a bug report needs; nothing heavy is imported."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from clincot import __version__

PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "evaluate", "huggingface_hub")


def versions() -> list[str]:
    """Return `name version` lines: clincot, Python and platform, then what trains, evaluates and publishes.

    A build of torch for CUDA or the CPU is part of its version (2.13.0+cpu).
    """
    lines = [f"clincot {__version__}", f"Python {platform.python_version()} on {platform.platform()} ({sys.prefix})"]
    return [*lines, *(f"{name} {_version(name)}" for name in PACKAGES)]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
