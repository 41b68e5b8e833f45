"""The journal tells finished shards from half-written, damaged and foreign ones, whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clincot.errors import RoundError
from clincot.executors.journal import DamagedShard, Journal


def put(journal: Journal, number: int, text: str = "rows") -> bool:
    return journal.put(number, lambda folder: (folder / "part").write_text(text) and None, {"rows": number})


@pytest.fixture()
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path)
    for number in (0, 1, 999, 1000, 2500):
        assert put(journal, number)
    return journal


def test_finished_shards_are_what_is_in_folders_of_a_thousand(journal: Journal) -> None:
    (journal.folder / "shards/00001/.shard-00001001.abcd.partial").mkdir()
    assert journal.finished() == {0, 1, 999, 1000, 2500}
    assert sorted(path.name for path in (journal.folder / "shards").iterdir()) == ["00000", "00001", "00002"]
    journal.clear()
    assert not list(journal.folder.rglob(".shard-*"))


def test_a_full_folder_is_listed_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(1000):
        journal.shard(number).mkdir(parents=True)
    put(journal, 1000)
    assert len(journal.finished()) == 1001
    journal.discard(3)
    put(journal, 1001)
    assert len(journal.finished()) == 1002


def test_who_finishes_a_shard_second_leaves_the_first_ones_rows(journal: Journal) -> None:
    assert put(journal, 0, "other rows") is False
    assert journal.part(0, "part", journal.report(0)) == b"rows"
    assert len(list(journal.shard(0).parent.iterdir())) == 3


def test_a_shard_that_cannot_be_written_is_an_error_and_not_finished(journal: Journal) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        journal.put(5, full, {})
    assert not journal.has(5)


@pytest.mark.parametrize(
    ("what", "damage"),
    [
        ("part is not what was written", lambda shard: (shard / "part").write_bytes(b"rowz")),
        ("part is missing", lambda shard: (shard / "part").unlink()),
        ("shard.json cannot be read", lambda shard: (shard / "shard.json").write_text('{"rows": ')),
        ("shard.json was changed", lambda shard: (shard / "shard.json").write_text('{"rows": 1}')),
        ("shard.json cannot be read", lambda shard: (shard / "shard.json").unlink()),
    ],
)
def test_damage_is_found_by_checksum(journal: Journal, what: str, damage: Callable[[Path], None]) -> None:
    damage(journal.shard(1))
    assert journal.damaged(journal.finished()) == {1: what}
    with pytest.raises(DamagedShard, match=what):
        journal.part(1, "part", journal.report(1))


def test_another_plan_is_refused_with_the_difference(tmp_path: Path) -> None:
    plan = {
        "method": {"steps": 2, "lookahead": {"gamma": 0.5}},
        "made from": {"policy": "a/b@1"},
        "examples": 9,
        "x_key": "1",
    }
    journal = Journal(tmp_path / "build")
    journal.open(plan)
    journal.open(plan)
    changed = {
        "method": {"steps": 3, "lookahead": {"gamma": 0.5}},
        "made from": {"policy": "a/b@2"},
        "examples": 7,
        "x_key": "2",
    }
    with pytest.raises(RoundError) as refused:
        journal.open(changed)
    lines = str(refused.value).splitlines()
    assert lines[1:-1] == ["  examples: 9 -> 7", "  made from.policy: a/b@1 -> a/b@2", "  method.steps: 2 -> 3"]
    assert "--name" in lines[-1] and "delete the folder" in lines[-1]
    with pytest.raises(RoundError, match="other examples, or models of other content"):
        journal.open(plan | {"x_key": "2"})
