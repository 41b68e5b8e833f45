"""Vetoed pairs of a round: left out, counted and named in the lineage and the card; files of other rounds refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clincot.errors import DataError
from clincot.runs import api
from clincot.runs.checks.vetoes import read_vetoes
from clincot.runs.redistribution import redacted
from clincot.runs.rounds.pair import pair_round
from clincot.runs.run import Run


def veto_file(path: Path, *ids: str, **more: Any) -> Path:
    found = {"format": "clincot-veto-1", "round": 1, "pairs": [{"id": one, "reason": "Mr X"} for one in ids]} | more
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


def pairs_of(run: Run, work: str) -> dict[str, dict[str, Any]]:
    rows = redacted.read_rows(run.folder / work / "merged/pairs.parquet")
    return {row["id"]: row for row in rows}


def test_vetoed_pairs_are_left_out_counted_and_named(copied: Run, tmp_path: Path) -> None:
    built = pairs_of(copied, "round-1/build")
    first, *others = built
    file = veto_file(tmp_path / "veto.json", first)
    said: list[str] = []
    release = api.pair(copied, 1, exclude=file, say=said.append).release
    assert release.tag == "round-1-v2" and "vetoed pairs left out: 1" in said
    assert pairs_of(copied, "round-1-v2/pair") == {name: built[name] for name in others}
    facts = release.lineage.facts
    assert facts["vetoed"] == {"pairs": 1, "ids": [first]} and facts["pairs"] == len(others)
    assert facts["drops"]["pairs vetoed by a reader"] == 1 and "Mr X" not in release.lineage.to_json()
    card = copied.store.read(release.pin, "README.md").decode()
    assert "Pairs of round-1 that a reader vetoed, left out: 1." in card and "by other settings" not in card
    assert not api.pair(copied, 1, exclude=file).release.fresh
    again = pair_round(copied, 1)  # the file decides: without it all pairs are back
    assert again.tag == "round-1-v3" and "vetoed" not in again.lineage.facts
    assert pairs_of(copied, "round-1-v3/pair") == built


def test_vetoes_of_no_pair_of_the_round_are_refused_by_name(copied: Run, tmp_path: Path) -> None:
    first = next(iter(pairs_of(copied, "round-1/build")))
    with pytest.raises(DataError, match="1 of its 2 pairs are not of round 1 of .*: far-away/1/0-1"):
        pair_round(copied, 1, read_vetoes(veto_file(tmp_path / "veto.json", first, "far-away/1/0-1")))
    with pytest.raises(DataError, match=r"its vetoes are of round 2.*Give --round 2"):
        pair_round(copied, 1, read_vetoes(veto_file(tmp_path / "veto.json", first, round=2)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no veto file"),
        ("[" * 100_000, "is no veto file"),
        ('{"format": "clincot-veto-2"}', "has no format 'clincot-veto-1'"),
        ("[]", "has no format"),
        ('{"format": "clincot-veto-1", "pairs": []}', "names no pair"),
        ('{"format": "clincot-veto-1", "pairs": [{"id": 3}]}', "one without an id"),
        ('{"format": "clincot-veto-1", "pairs": [{"id": "a"}], "round": "1"}', "its round is '1'"),
    ],
)
def test_what_is_no_veto_file_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "veto.json").write_text(text)
    with pytest.raises(DataError, match=says):
        read_vetoes(tmp_path / "veto.json")
    with pytest.raises(DataError, match="cannot be read"):
        read_vetoes(tmp_path / "absent.json")
