"""The phantom's policy and one of its judges on vLLM servers of this machine, for all checks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from vllm_servers import MODELS, NAMES, Vllm


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[dict[str, Vllm]]:
    """Start both servers together, since most of a start is reading code; end them whatever happens."""
    folder = tmp_path_factory.mktemp("servers")
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    started: dict[str, Vllm] = {}
    try:
        for role in NAMES:
            started[role] = Vllm(role, MODELS, folder / f"{role}.log")
        waited = {role: server.wait() for role, server in started.items()}
        with capture.global_and_fixture_disabled():
            print("".join(f"\n{role}: answers after {seconds:.0f} s" for role, seconds in waited.items()))
        yield started
    finally:
        for server in started.values():
            server.stop()
