"""kill -9 at any moment of a build, then the same command: the rows of an uninterrupted build."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import SMALL, clincot, start


def killed_build(hub: Path, cwd: Path, kills: int) -> Path:
    """Build with `kills` kills, each just after another shard was finished; return the folder of the build."""
    words = ("build-data", "--name", "build", "--hub", f"local:{hub}", *SMALL)
    build = cwd / "runs/build/round-1/build"
    for done in range(1, kills + 1):
        process = start(*words, cwd=cwd)
        while not (build / f"shards/00000/shard-{done - 1:08d}").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.kill()
        process.communicate()
        assert not (build / "merged").exists()
    clincot(*words, cwd=cwd)
    return build


def same_rows(one: Path, other: Path) -> None:
    for name in ("pairs.parquet", "candidates.parquet"):
        first, second = (pq.read_table(build / "merged" / name) for build in (one, other))
        assert first.num_rows > 0
        assert first.to_pylist() == second.to_pylist()


@pytest.mark.long
def test_a_build_killed_once_has_the_rows_of_an_uninterrupted_one(small_hub: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    same_rows(killed_build(small_hub, tmp_path / "a", 1), killed_build(small_hub, tmp_path / "b", 0))


@pytest.mark.long
def test_a_build_killed_three_times_has_the_rows_of_an_uninterrupted_one(small_hub: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    same_rows(killed_build(small_hub, tmp_path / "a", 3), killed_build(small_hub, tmp_path / "b", 0))
