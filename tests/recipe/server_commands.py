"""recipes/servers -> the command of every server as words, the model first: of the compose files and of cpu.sh."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import yaml

from clincot.recipe import recipes_folder

FOLDER = recipes_folder() / "servers"


def composed(name: str) -> dict[str, list[str]]:
    """Return the words of each service of `compose.NAME.yaml`."""
    services = yaml.safe_load((FOLDER / f"compose.{name}.yaml").read_text(encoding="utf-8"))["services"]
    return {service: [str(word) for word in own["command"]] for service, own in services.items()}


def scripted(role: str, folder: Path) -> list[str]:
    """Return the words that cpu.sh starts vLLM with for a role, by letting it start what prints them."""
    printer = folder / "print"
    printer.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    printer.chmod(0o755)
    where = os.environ | {"PYTHON": str(printer), "MODELS": "/models"}
    done = subprocess.run(["sh", FOLDER / "cpu.sh", role], env=where, capture_output=True, text=True, check=True)
    module, *words = done.stdout.splitlines()[1:]
    assert module == "vllm.entrypoints.openai.api_server" and words[0] == "--model"
    return words[1:]


def option(words: list[str], name: str) -> str:
    """Return the value of an option."""
    return words[words.index(name) + 1]
