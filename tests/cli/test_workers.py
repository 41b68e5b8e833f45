"""One, two or three processes, workers and commands killed at random, in any order: the bytes of one quiet build."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import SMALL, clincot, start
from shards import shards, sums

IMAGES = 16  # a shard each: whatever the machine, some are left after the last kill
WORDS = (*SMALL, "--set=rounds=1", f"--set=build.max_images={IMAGES}", "--set=build.max_questions=1")
KILLS = {1: 2, 2: 3, 3: 2}  # of the whole command, by how many processes it starts
LONGEST_WAIT = (
    0.1  # seconds from a finished shard to the kill; a shard takes longer than that on any processor of today
)


def command(size: int, cwd: Path, hub: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start `clincot build-data` with `size` processes and a shuffled order of shards."""
    words = ("build-data", "--workers", str(size), "--name", "build", "--hub", f"local:{hub}", *WORDS)
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "CLINCOT_SHARD_ORDER": str(size)}
    with log.open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "clincot", *words],
            cwd=cwd,
            env=os.environ | environment,
            stdout=stream,
            stderr=stream,
        )


def processes_of(parent: int) -> list[int]:
    """Return a process and all that it started, directly or not."""
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


def killed_build(size: int, hub: Path, cwd: Path, chance: random.Random) -> Path:
    """Kill the command `KILLS[size]` times and then, where it has workers, two of these; let it end."""
    cwd.mkdir()
    build, log = cwd / "runs/build/round-1/build", cwd / "log"
    for _ in range(KILLS[size]):
        process = command(size, cwd, hub, log)
        next_shard(build, process, log)
        time.sleep(chance.uniform(0, LONGEST_WAIT))
        kill_all(process)
    process = command(size, cwd, hub, log)
    for _ in range(2 if size > 1 else 0):
        next_shard(build, process, log)
        workers = [one for one in processes_of(process.pid)[1:] if b"spawn_main" in commands(one)]
        os.kill(chance.choice(workers), signal.SIGKILL)
    assert process.wait(timeout=300) == 0, log.read_text()
    assert log.read_text().count("(round-1) made in") == 1
    assert "shards built twice" not in log.read_text()  # nobody builds what another has finished
    assert log.read_text().count("another one does it again") == (2 if size > 1 else 0), log.read_text()
    return build


def next_shard(build: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    before = shards(build)
    while shards(build) == before:
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)


def commands(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_any_number_of_processes_and_kills_gives_the_same_bytes(small_hub: Path, tmp_path: Path) -> None:
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


@pytest.mark.long
def test_two_workers_build_and_answer_what_one_process_does(small_hub: Path, tmp_path: Path) -> None:
    results = []
    for workers in ("1", "2"):
        folder = tmp_path / workers
        folder.mkdir()
        for verb in ("build-data", "evaluate"):
            more = ("--workers", workers, "--name", "run", "--hub", f"local:{small_hub}", *WORDS)
            _, err = clincot(verb, *more, "--set=evaluate.max_images=6", cwd=folder)
            assert "Traceback" not in err
        answers = sorted((folder / "runs/run/answers/parts").rglob("*.parquet"))
        parts = {str(path.relative_to(folder)): path.read_bytes() for path in answers}
        results.append((sums(folder / "runs/run/round-1/build"), parts))
    assert results[0] == results[1] and results[0][1]


def test_torchrun_is_refused_with_the_option_to_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    for verb in ("build-data", "evaluate", "run"):
        _, err = clincot(verb, cwd=tmp_path, code=2)
        assert f"clincot {verb}: runs in one process, not in 2. Start it without torchrun" in " ".join(err.split())
        assert "--workers N or --executor ray" in " ".join(err.split())
