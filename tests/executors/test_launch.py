"""Processes of one launch find each other through files alone, and no shard is given to two of them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from clincot.errors import RoundError
from clincot.executors import launch as launches
from clincot.executors.launch import Launch, close_launch, join_launch, open_launch
from clincot.executors.world import ALONE, World

WORLDS = [World(rank, 4, rank, "same") for rank in range(4)]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that fails must not keep the others, and the whole run of tests, for an hour."""
    monkeypatch.setattr(launches, "TO_COME", 30.0)
    monkeypatch.setattr(launches, "TO_ANSWER", 30.0)


def start(folder: Path, message: dict[str, str]) -> list[Launch]:
    """Bring four processes to the rendezvous at once; return their launches, rank 0 first."""
    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(join_launch, world, folder) for world in WORLDS[1:]]
        first = open_launch(WORLDS[0], folder, message)
        answers = [other.result(timeout=20) for other in others]
    assert all(heard == message for _, heard in answers)
    return [first, *(joined for joined, _ in answers)]


def test_all_ranks_hear_what_rank_0_says_and_share_an_id(tmp_path: Path) -> None:
    launch = start(tmp_path, {"tag": "round-1"})
    assert len({one.id for one in launch}) == 1


def test_an_answer_that_an_earlier_launch_left_is_not_believed(tmp_path: Path) -> None:
    before = start(tmp_path, {"tag": "old"})
    assert list(tmp_path.rglob("answer.json"))
    after = start(tmp_path, {"tag": "new"})
    assert before[0].id != after[0].id
    slow = launches._rendezvous(WORLDS[1], tmp_path) / "1-token"
    slow.touch()
    close_launch(after[0], tmp_path)
    assert list(tmp_path.rglob("answer.json")), "a process that has not read the answer would wait for ever"
    slow.unlink()
    close_launch(after[0], tmp_path)
    assert not list(tmp_path.rglob("answer.json"))


def test_every_shard_is_taken_exactly_once(tmp_path: Path) -> None:
    launch = start(tmp_path, {})
    shards = range(400)
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda one: [shard for shard in shards if one.claim(tmp_path / "claims", shard)], launch))
    assert sorted(shard for share in taken for shard in share) == list(shards)


def test_claims_of_an_earlier_launch_bind_nobody(tmp_path: Path) -> None:
    lost = Launch(WORLDS[1], "lost")
    assert lost.claim(tmp_path, 7) and not lost.claim(tmp_path, 7)
    assert Launch(WORLDS[1], "next").claim(tmp_path, 7)


def test_a_process_alone_waits_for_nobody_and_writes_nothing(tmp_path: Path) -> None:
    alone = open_launch(ALONE, tmp_path / "launches", {})
    assert alone.id and alone.claim(tmp_path / "claims", 1) and alone.claim(tmp_path / "claims", 1)
    assert not list(tmp_path.iterdir())


def test_whoever_waits_in_vain_is_told_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launches, "TO_COME", 0.1)
    monkeypatch.setattr(launches, "TO_ANSWER", 0.1)
    with pytest.raises(RoundError, match="0 of 3 other processes came .* all machines share"):
        open_launch(WORLDS[0], tmp_path, {})
    with pytest.raises(RoundError, match="rank 2 heard nothing from rank 0"):
        join_launch(WORLDS[2], tmp_path / "elsewhere")


@pytest.mark.parametrize("error", [FileExistsError, FileNotFoundError])
def test_a_folder_that_rank_0_clears_under_a_waiting_process_stops_nobody(
    error: type[OSError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `mkdir` says when the folder goes between its call and its look for the folder; seen once in a slow run."""
    mkdir, looks = Path.mkdir, iter([error("cleared"), None])

    def cleared_once(path: Path, *args: Any, **kwargs: Any) -> None:
        if (refusal := next(looks, None)) is not None:
            raise refusal
        mkdir(path, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", cleared_once)
        launches._leave_token(tmp_path / "rendezvous" / "1-token")
        assert not (tmp_path / "rendezvous").exists()
        launches._leave_token(tmp_path / "rendezvous" / "1-token")
    assert (tmp_path / "rendezvous" / "1-token").exists()


def test_a_half_heard_answer_without_the_own_token_is_waited_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launches, "TO_ANSWER", 0.2)
    rendezvous = launches._rendezvous(WORLDS[1], tmp_path)
    rendezvous.mkdir()
    (rendezvous / "answer.json").write_text(json.dumps({"id": "old", "tokens": ["1-old"], "message": {}}))
    with pytest.raises(RoundError, match="heard nothing"):
        join_launch(WORLDS[1], tmp_path)
