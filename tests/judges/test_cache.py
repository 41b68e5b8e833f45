"""Ratings of finished builds are not asked again; a shard sees nothing of another shard of its build."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from clincot.errors import DataError
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.cache import CachedJudge, Recorded, known_key, load_known, read, write
from clincot.lm.requests import Counters


class Counted:
    """Rates a statement by its length, and remembers what it was asked."""

    name, scoring = "ns/judge", "expected"

    def __init__(self, key: str = "abc") -> None:
        self.key = key
        self.counters = Counters()
        self.asked: list[str] = []

    def reads(self, request: JudgeRequest) -> str:
        return f"{request.question} {request.statement}"

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        self.asked += [r.statement for r in requests]
        return [Rating(len(r.statement) / 100 if r.statement != "?" else None, 0.7, "x") for r in requests]


def asked(*statements: str) -> list[JudgeRequest]:
    return [JudgeRequest("q", None, (), statement) for statement in statements]


def test_equal_prompts_of_a_unit_are_asked_once_and_the_next_unit_asks_again() -> None:
    inner = Counted()
    judge = CachedJudge(inner, {})
    first = judge.rate(asked("a", "bb", "a"))
    assert [r.value for r in first] == [0.01, 0.02, 0.01]
    assert judge.rate(asked("bb")) == first[1:2]
    assert inner.asked == ["a", "bb"]
    assert len(judge.take_fresh()) == 2
    judge.rate(asked("a"))
    assert inner.asked == ["a", "bb", "a"]


def test_what_finished_builds_recorded_is_known_and_a_build_never_reads_its_own(tmp_path: Path) -> None:
    judge = CachedJudge(Counted(), {})
    judge.rate(asked("a", "?"))
    fresh = judge.take_fresh()
    write(tmp_path, "round-1", fresh)
    assert load_known(tmp_path, "round-1", without="round-1") == load_known(tmp_path, "round-2") == {}
    known = load_known(tmp_path, "round-1", without="round-1-v2")
    assert read(tmp_path / "round-1.parquet") == fresh
    assert known_key(known) == known_key(dict(reversed(known.items())))
    later = Counted()
    assert CachedJudge(later, known).rate(asked("a", "?", "ccc")) == [
        Rating(0.01, 0.7, "x"),
        Rating(None, 0.7, "x"),
        Rating(0.03, 0.7, "x"),
    ]
    assert later.asked == ["ccc"]
    assert [path.name for path in tmp_path.iterdir()] == ["round-1.parquet"]


def test_another_revision_of_a_judge_is_asked_anew(tmp_path: Path) -> None:
    judge = CachedJudge(Counted("abc"), {})
    judge.rate(asked("a"))
    write(tmp_path, "round-1", judge.take_fresh())
    other = Counted("def")
    CachedJudge(other, load_known(tmp_path, "round-1")).rate(asked("a"))
    assert other.asked == ["a"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "round-1", [Recorded("k", Rating(0.5, 1.0))])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="round-1.parquet: cannot be read"):
        load_known(tmp_path, "round-1")
