"""Answers that differ between two rows: what was gained, what was lost, and what says nothing about right or wrong."""

from __future__ import annotations

from clincot.stages.evaluate.changes import changes
from clincot.stages.evaluate.predictions import Prediction
from tests.lamps import examples


def row(**texts: str) -> list[Prediction]:
    return [Prediction(f"lamps/0/{name}", "image", "p", "direct", text, (), None, None) for name, text in texts.items()]


def test_gained_comes_first_then_lost_then_the_rest() -> None:
    known = {e.id: e for e in examples()}
    before = row(closed="No.", open="left", report="a", other="x")
    after = row(report="b", open="right", closed="Yes, there is.")
    found = changes(known, before, after)
    assert [(c.example_id, c.verdict) for c in found] == [
        ("lamps/0/closed", "gained"),
        ("lamps/0/open", "lost"),
        ("lamps/0/report", "changed"),
    ]
    assert (found[0].first, found[0].second) == ("No.", "Yes, there is.")


def test_spacing_is_no_change_and_without_examples_nothing_is_right_or_wrong() -> None:
    assert changes({}, row(closed="Yes,  there\nis."), row(closed="Yes, there is.")) == []
    assert [c.verdict for c in changes({}, row(closed="No"), row(closed="Yes"))] == ["changed"]
