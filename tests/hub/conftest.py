"""An embedded Hub per test, reached over real HTTP, whose client waits no longer than a few milliseconds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub.utils._http as client_http
import pytest
from dulwich.repo import Repo

from clincot.hub import Hub, RoundFiles, connect, embedded, retry
from clincot.localhub import LocalHub
from clincot.records.lineage import Lineage


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every wait that was asked for, in seconds; none lasts longer than 20 ms."""
    asked: list[float] = []

    def sleep(seconds: float) -> None:
        asked.append(seconds)
        time.sleep(min(seconds, 0.02))

    monkeypatch.setattr(retry, "sleep", sleep)
    monkeypatch.setattr(client_http, "time", SimpleNamespace(sleep=sleep, time=time.time, monotonic=time.monotonic))
    return asked


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with connect(f"local:{tmp_path / 'hub'}", main=False) as opened:
        yield opened


@pytest.fixture
def server(hub: Hub) -> LocalHub:
    """The server behind `hub`: its request log and its list of faults."""
    return embedded._running[hub.cache.parents[1]][0]


@pytest.fixture
def round_files() -> Callable[..., dict[str, bytes]]:
    """Make the files of a round: a parquet-named payload, recipe and lineage."""

    def make(number: int, data: bytes = b"rows", **facts: object) -> dict[str, bytes]:
        shown = {"pairs": 1, **facts}
        lineage = Lineage("build-data", "run", number, "clincot", "phantom", "0" * 64, "k", 0, facts=shown)
        name = f"round-{number}"
        return {f"{name}/train-0.parquet": data} | RoundFiles(name, "seed: 0\n", lineage).files()

    return make


@pytest.fixture
def card() -> Callable[[dict[str, bytes]], str]:
    """A card that names the rounds whose lineage it was given."""

    def render(lineages: dict[str, bytes]) -> str:
        rounds = [json.loads(content)["round"] for content in lineages.values()]
        return f"---\ntags: [clincot]\n---\nrounds {sorted(rounds)}\n"

    return render


@pytest.fixture
def commits(server: LocalHub) -> Callable[[str], list[str]]:
    """Return the titles of a dataset's commits, newest first, read from git and not through our client."""

    def titles(repo: str) -> list[str]:
        with Repo(str(server.store.folder_of("dataset", repo))) as opened:
            walker = opened.get_walker(include=[opened.refs[b"refs/heads/main"]])
            return [entry.commit.message.decode().splitlines()[0] for entry in walker]

    return titles
