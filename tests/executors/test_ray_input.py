"""What is wrong with a cluster is named at once: its address, its memory, nodes without room or without the package."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clincot.errors import ClincotError
from clincot.executors import ray as module
from clincot.executors._cluster import lack_of_room
from clincot.executors.ray import Crew, Ray

pytestmark = pytest.mark.xdist_group("ray")  # a program without an address joins any cluster of this machine


def closed_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@pytest.mark.parametrize("address", ["127.0.0.1:{closed}", "ray://127.0.0.1:{closed}", "nowhere.invalid:6379"])
def test_an_address_of_nothing_is_named_in_seconds(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address.format(closed=closed_port()))
    started = time.monotonic()
    with pytest.raises(ClincotError, match=rf"RAY_ADDRESS={address[:9]}.*: nothing answers there .* Start a cluster"):
        Ray()
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("address", ["head", "http://127.0.0.1:8265", "head:port", ":6379", "head:"])
def test_what_is_no_address_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ClincotError, match=r"is no address of a cluster. Write HOST:PORT"):
        Ray()


def node(cpus: float, gpus: float = 0, *, alive: bool = True) -> dict[str, Any]:
    return {"Alive": alive, "Resources": {"CPU": cpus, **({"GPU": gpus} if gpus else {})}}


def test_a_cluster_whose_nodes_are_too_small_is_named() -> None:
    assert lack_of_room([node(2), node(4)], cpus=4, gpus=0) is None
    said = lack_of_room([node(2), node(1), node(8, alive=False)], cpus=4, gpus=0) or ""
    assert "takes 4 CPUs (build.threads); the largest node has 2 CPUs" in said
    assert "4 CPUs and a GPU" in (lack_of_room([node(8), node(2, 1)], cpus=4, gpus=1) or "")
    assert "has 0 CPUs" in (lack_of_room([], cpus=1, gpus=0) or "")


class Died(Exception):
    """What Ray raises for an actor that did not start."""


class FewNodes:
    """A cluster in this process: the first actor starts, others fail as on a node without the package."""

    exceptions = SimpleNamespace(RayActorError=Died, RayTaskError=KeyError)

    def __init__(self, starts: int) -> None:
        self.starts, self.asked = starts, 0

    def remote(self) -> Any:
        self.asked += 1
        good = self.asked <= self.starts
        return SimpleNamespace(
            ready=SimpleNamespace(remote=lambda: ("ready", good, object())),
            do=SimpleNamespace(remote=lambda open_work, piece: ("do", piece, object())),
        )

    def wait(self, references: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        coming = [one for one in references if one[0] == "ready"]
        return (coming or references)[:1], []

    def get(self, reference: Any) -> Any:
        if reference[0] == "ready" and not reference[1]:
            raise Died("The actor died.\nModuleNotFoundError: No module named 'clincot'")
        return reference[1]


def test_a_node_without_the_package_does_not_stop_those_that_work(capsys: pytest.CaptureFixture[str]) -> None:
    done: list[Any] = []
    cluster = FewNodes(starts=1)
    Crew(cluster, cluster, most=5).finish(
        lambda: print, [(n,) for n in range(6)], lambda piece, note: done.append(note)
    )
    assert done == [(n,) for n in range(6)]
    assert capsys.readouterr().err.count("A node of the cluster starts no process (ModuleNotFoundError") == 1
    assert cluster.asked == 1 + module.DEATHS  # then it rests


def test_a_cluster_without_the_package_is_refused() -> None:
    cluster = FewNodes(starts=0)
    with pytest.raises(ClincotError, match=r"no process starts on the cluster \(ModuleNotFoundError.*Install the same"):
        Crew(cluster, cluster, most=5).finish(lambda: print, [(0,)], lambda piece, note: None)


@pytest.mark.long
def test_too_little_memory_for_the_object_store_is_named(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    script = (
        "from clincot.errors import ClincotError\nfrom clincot.executors.ray import Ray\n"
        "try:\n    Ray().run(print, [(0,)], print)\nexcept ClincotError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"RAY_DEFAULT_OBJECT_STORE_MEMORY_PROPORTION": "0.00001", "RAY_ADDRESS": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "--executor ray: Ray finds too little memory for its object store (Attempting to cap" in done.stdout
    assert "ray start --head --object-store-memory" in done.stdout, done.stderr
