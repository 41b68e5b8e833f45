"""A log file gets plain lines with what is left and the newest note; whoever is quiet writes nothing."""

from __future__ import annotations

import pytest

from clincot import progress
from clincot.progress import bar


def test_a_log_gets_a_line_at_the_start_the_end_and_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with bar("building", 10, "questions", done=4) as advance:
        advance(3, "5.0 candidates/s")
        advance(3, "6.0 candidates/s, 1 judge failures")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "building: 10 questions"
    assert lines[1].startswith("building: 7 of 10 questions so far, 0:00:0") and "left, 5.0 candidates/s" in lines[1]
    assert lines[-1] == "building: 10 of 10 questions done, 6.0 candidates/s, 1 judge failures"


def test_time_left_counts_what_was_done_now_alone() -> None:
    # 10 of 3,610 left were done in 10 s: an hour is left, however much was finished earlier.
    assert progress._left(3600, 10, 10.0) == "so far, 1:00:00 left"
    assert progress._left(3600, 0, 10.0) == "so far"


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("building", 2, quiet=True) as advance:
        advance(1, "note")
        advance()
    assert capsys.readouterr() == ("", "")
