"""One process or several do every piece; those that die are replaced, and what kills every process is named."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from clincot import executors
from clincot.errors import ClincotError, DataError
from clincot.executors.base import DEATHS, SetAside
from clincot.executors.local import Local
from tests.executors.toys import squares


def run(executor: Any, folder: Path, count: int = 12, **toys: Any) -> dict[int, int]:
    done: dict[int, int] = {}

    def mark(piece: tuple[int, ...], note: int) -> None:
        assert piece[0] not in done
        done[piece[0]] = note

    executor.run(partial(squares, folder, **toys), [(number,) for number in range(count)], mark)
    return done


def opened(folder: Path) -> int:
    return len(list(folder.glob("opened-*")))


def test_one_process_does_all_itself_and_opens_nothing_without_work(tmp_path: Path) -> None:
    assert run(Local(), tmp_path) == {piece: piece * piece for piece in range(12)}
    assert list(tmp_path.glob("did-11-*"))[0].name.endswith(f"-{os.getpid()}")
    assert run(Local(), tmp_path / "absent", count=0) == {}


def test_several_processes_do_every_piece_and_each_opens_its_work_once(tmp_path: Path) -> None:
    assert run(Local(2), tmp_path) == {piece: piece * piece for piece in range(12)}
    assert opened(tmp_path) == 2
    assert len(list(tmp_path.glob("did-*"))) == 12


def test_a_process_that_dies_is_replaced_and_its_piece_done_again(tmp_path: Path) -> None:
    assert run(Local(2), tmp_path, dies=(0, 5)) == {piece: piece * piece for piece in range(12)}
    assert opened(tmp_path) > 2
    assert run(Local(2), tmp_path, dies=(11,)) == {piece: piece * piece for piece in range(12)}


def test_a_piece_that_kills_its_process_three_times_is_named_when_all_others_are_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SetAside, match="work 3: its process died 3 times, and all other work is done"):
        run(Local(2), tmp_path, count=6, dies=(3,), once=False)
    assert len(list(tmp_path.glob("died-3-*"))) == DEATHS
    assert {path.name.split("-")[1] for path in tmp_path.glob("did-*")} == {"0", "1", "2", "4", "5"}
    assert "The process at work 3 died (exit code -9); another one does it again." in capsys.readouterr().err


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_work_stops_all_and_keeps_its_message(tmp_path: Path, workers: int) -> None:
    with pytest.raises(DataError, match="piece 0: is bad. Correct it"):
        run(Local(workers), tmp_path, count=500, fails=(0,), pause=0.05)
    assert len(list(tmp_path.glob("did-*"))) < 499


def test_each_process_sees_its_own_gpu_and_shares_it_only_where_there_are_fewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    run(Local(3), tmp_path, count=30, pause=0.2)
    seen = [path.read_text() for path in tmp_path.glob("opened-*")]
    assert sorted(seen) == ["3", "3", "5"]


LOST = """
import os, sys
from functools import partial
from pathlib import Path
from clincot.executors.local import Local
from tests.executors.toys import squares
if __name__ == "__main__":
    Local(2).run(partial(squares, Path(sys.argv[1])), [(n,) for n in range(10**6)], lambda piece, note: None)
"""


def test_no_process_outlives_the_one_that_started_it(tmp_path: Path) -> None:
    script = tmp_path / "lost.py"
    script.write_text(LOST, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen([sys.executable, str(script), str(tmp_path)], env=environment)
    try:
        _until(lambda: opened(tmp_path) == 2)
    finally:
        parent.kill()
    parent.wait()
    workers = [int(path.name.split("-")[1]) for path in tmp_path.glob("opened-*")]
    _until(lambda: not any(_alive(pid) for pid in workers))


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def _until(true: Any) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_an_unknown_executor_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ClincotError, match="--executor 'rai': is not known. Did you mean 'ray'"):
        executors.load("rai")
