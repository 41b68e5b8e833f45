"""One, two or three processes, killed at random, shards in any order: the bytes of one undisturbed build."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import SMALL, clincot, start

IMAGES = 16  # a shard each: whatever the machine, some are left after the last kill
WORDS = (*SMALL, f"--set=build.max_images={IMAGES}", "--set=build.max_questions=1")
KILLS = {1: 3, 2: 4, 3: 3}
LONGEST_WAIT = (
    0.1  # seconds from a finished shard to the kill; a shard takes longer than that on any processor of today
)


def launch(size: int, port: int, cwd: Path, hub: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start `clincot build-data` in `size` processes; the shuffled order of shards differs by process."""
    torchrun = ("-m", "torch.distributed.run", f"--nproc-per-node={size}", f"--master-port={port}")
    command = (*torchrun, "-m", "clincot", "build-data", "--name", "build", "--hub", f"local:{hub}", *WORDS)
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "CLINCOT_SHARD_ORDER": str(size)}
    with log.open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, *command], cwd=cwd, env=os.environ | environment, stdout=stream, stderr=stream
        )


def processes_of(parent: int) -> list[int]:
    """Return a process and all that it started, directly or not: torchrun gives its workers sessions of their own."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended while being listed
            children.setdefault(int(status.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found = [parent]
    for one in found:
        found += children.get(one, [])
    return found


def kill_all(process: subprocess.Popen[bytes]) -> None:
    for one in processes_of(process.pid):
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            continue  # ended by itself
    process.wait()


def shards(build: Path) -> int:
    return len([name for name in build.glob("shards/*/*") if not name.name.startswith(".")])


def sums(build: Path) -> dict[str, str]:
    names = ("pairs.parquet", "candidates.parquet", "regions.parquet")
    return {name: hashlib.sha256((build / "merged" / name).read_bytes()).hexdigest() for name in names}


def killed_build(size: int, hub: Path, cwd: Path, chance: random.Random) -> Path:
    """Kill the launch `KILLS[size]` times, each at a random moment after another was finished; then let it end."""
    cwd.mkdir()
    build, log = cwd / "runs/build/round-1/build", cwd / "log"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for _ in range(KILLS[size]):
        before, process = shards(build), launch(size, port, cwd, hub, log)
        while shards(build) == before:
            assert process.poll() is None, log.read_text()
            time.sleep(0.01)
        time.sleep(chance.uniform(0, LONGEST_WAIT))
        kill_all(process)
    process = launch(size, port, cwd, hub, log)
    assert process.wait(timeout=300) == 0, log.read_text()
    assert log.read_text().count("(round-1) made in") == 1
    return build


@pytest.mark.long
@pytest.mark.timeout(900)
def test_any_number_of_processes_killed_ten_times_gives_the_same_bytes(small_hub: Path, tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    clincot("build-data", "--name", "build", "--hub", f"local:{small_hub}", *WORDS, cwd=tmp_path / "alone")
    expected = sums(tmp_path / "alone/runs/build/round-1/build")
    chance = random.Random(0)
    for size in KILLS:
        assert sums(killed_build(size, small_hub, tmp_path / str(size), chance)) == expected


@pytest.mark.long
def test_the_same_command_twice_at_once_makes_one_tag_with_the_same_rows(small_hub: Path, tmp_path: Path) -> None:
    words = ("build-data", "--name", "twice", "--hub", f"local:{small_hub}", *WORDS)
    both = [start(*words, cwd=tmp_path) for _ in range(2)]
    said = [process.communicate(timeout=280)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert all("(round-1)" in err and "round-1-v2" not in err for err in said)
    out, _ = clincot("hub", "log", "runs/twice/store", "demo/twice-preferences", cwd=tmp_path)
    assert "round-1" in out and "round-1-v2" not in out
