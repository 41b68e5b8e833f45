"""A cluster whose nodes die and join, and a command that is killed: the rows of one quiet process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from command import SMALL, clincot
from shards import shards, sums

pytestmark = pytest.mark.xdist_group("ray")  # a program without an address joins any cluster of this machine
WORDS = (*SMALL, "--set=rounds=1", "--set=build.max_images=16", "--set=build.max_questions=1")
SHARDS = 16
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


def build(log: Path, hub: Path, address: str) -> subprocess.Popen[bytes]:
    words = ("build-data", "--executor", "ray", "--name", "build", "--hub", f"local:{hub}", *WORDS)
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "clincot", *words],
            cwd=log.parent,
            env=os.environ | {"RAY_ADDRESS": address},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def until(true: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    while not true():
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)


def at_work(node: Any) -> bool:
    """Return whether a process of this node is in the middle of a piece (Ray writes it into the process's name)."""
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    return any("Actor.do" in " ".join(child.cmdline()) for child in raylet.children())


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_cluster_builds_the_rows_of_one_process_whatever_dies(
    small_hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # of the nodes' processes too
    from ray.cluster_utils import Cluster

    (tmp_path / "alone").mkdir()
    clincot("build-data", "--name", "build", "--hub", f"local:{small_hub}", *WORDS, cwd=tmp_path / "alone")
    folder = tmp_path / "runs/build/round-1/build"
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    try:
        doomed, _ = cluster.add_node(**NODE), cluster.add_node(**NODE)
        log = tmp_path / "before.log"
        process = build(log, small_hub, cluster.address)
        until(lambda: shards(folder) >= 2 and at_work(doomed), process, log)
        cluster.remove_node(doomed, allow_graceful=False)
        cluster.add_node(**NODE)
        until(lambda: "another one does it again" in log.read_text(), process, log)  # what the killed node did
        until(lambda: shards(folder) >= 6, process, log)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert shards(folder) < SHARDS
        log = tmp_path / "after.log"
        process = build(log, small_hub, cluster.address)
        process.wait(timeout=600)
    finally:
        cluster.shutdown()
    said = log.read_text()
    assert process.returncode == 0, said
    # The killed command's processes may finish a shard that the next command builds already: one each at most.
    twice = max([0, *map(int, re.findall(r"shards built twice: (\d+)", said))])
    print(f"shards built twice: {twice} of {SHARDS}")
    assert twice <= 3
    assert sums(folder) == sums(tmp_path / "alone/runs/build/round-1/build")
