"""Rows that cannot be compared: another revision or split, and predictions that are damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sealed_run import SealedRun

from clincot.errors import ClincotError, DataError
from clincot.hub import connect
from clincot.recipe import load_recipe
from clincot.records.lineage import Lineage, Pin
from clincot.runs.evaluation.compare import (
    Side,
    _check_same,
    _lineage,
    _row,
    compare_rows,
    comparison_lines,
    read_predictions,
    read_side,
)
from clincot.runs.models import adapters
from clincot.runs.run import Run
from clincot.stages.evaluate.results import Row

SIDE = Side("a", Row("base", "direct"), (), "slake", Pin("dataset", "BoKelvin/SLAKE", "main", "1" * 40), "test")
ROW: dict[str, Any] = {
    "example_id": "1",
    "image_id": "i",
    "policy": "base",
    "inference": "direct",
    "control": "",
    "text": "yes",
    "findings": [],
    "hypothesis": None,
    "box": [0, 0, 2, 2],
}


def test_another_revision_split_or_benchmark_is_refused() -> None:
    _check_same(SIDE, replace(SIDE, name="b"))
    other = Pin("dataset", "BoKelvin/SLAKE", "main", "2" * 40)
    with pytest.raises(DataError, match=r"BoKelvin/SLAKE@1{12}.*BoKelvin/SLAKE@2{12}: another revision"):
        _check_same(SIDE, replace(SIDE, data=other))
    with pytest.raises(DataError, match="answers slake test.* answers slake validation"):
        _check_same(SIDE, replace(SIDE, split="validation"))


def write(folder: Path, rows: list[dict[str, Any]]) -> list[Path]:
    pq.write_table(pa.Table.from_pylist(rows), folder / "p.parquet")
    return [folder / "p.parquet"]


def test_damaged_predictions_are_named(tmp_path: Path) -> None:
    assert read_predictions(write(tmp_path, [ROW]), "slake")[0].box == (0, 0, 2, 2)
    damaged = {
        "lacks the column text": [{name: value for name, value in ROW.items() if name != "text"}],
        "answers '1' twice": [ROW, ROW],
        "the answer to '1' is None, no text": [ROW | {"text": None}],
    }
    for message, rows in damaged.items():
        with pytest.raises(DataError, match=message):
            read_predictions(write(tmp_path, rows), "slake")
    with pytest.raises(DataError, match="hold no predictions"):
        read_predictions([], "slake")


def test_a_row_is_found_by_the_parts_of_its_name(tmp_path: Path) -> None:
    rows = [ROW | {"policy": p, "inference": i} for p in ("base", "round-1") for i in ("region", "direct")]
    rows += [ROW | {"policy": "", "inference": "", "control": "question_prior"}, ROW | {"control": "black_image"}]
    found = read_predictions(write(tmp_path, rows), "slake")
    assert _row("", found, "") == Row("round-1", "region")
    assert _row("base/direct", found, "") == Row("base", "direct")
    assert _row("base/direct/black_image", found, "") == Row("base", "direct", "black_image")
    assert _row("question_prior", found, "") == Row("", "", "question_prior")
    with pytest.raises(ClincotError, match="Did you mean 'round-1/region'"):
        _row("round-1/regio", found, "x")


def test_rows_of_data_that_may_not_be_passed_on_are_compared_with_ones_own_copy(sealed: SealedRun) -> None:
    compared = compare_rows(sealed.run, "base", "round-1/direct", ["all"])
    lines = list(comparison_lines(compared, "clincot-v2"))
    assert "closed accuracy" in {line[0] for line in lines}
    assert all(len(line) == 5 for line in lines)
    page = sealed.run.folder / "round-1" / "results" / "results.html"
    assert page.is_file() and "<img" not in page.read_text() and "gold:" not in page.read_text()
    with pytest.raises(DataError, match="its texts are train answers"):
        compare_rows(sealed.run, "base", "question_prior", [])


def test_a_later_version_of_an_early_round_is_read_as_that_round(tmp_path: Path) -> None:
    with connect(f"local:{tmp_path / 'hub'}", main=False) as hub:
        for tag, round_ in (("round-1", 1), ("round-2", 2), ("round-1-v2", 1)):
            made = Lineage("evaluate", "run", round_, "clincot", "slake", tag, tag, 0)
            path = f"rounds/round-{round_}/lineage.json"
            hub.publish("dataset", "a/b", {path: made.to_json().encode()}, tag=tag, message=tag, private=True)
        found = {tag: _lineage(hub, hub.resolve("dataset", "a/b", tag)) for tag in ("round-1-v2", "main")}
        assert {tag: round_ for tag, (round_, _) in found.items()} == {"round-1-v2": "round-1", "main": "round-2"}
        assert {tag: made.inputs for tag, (_, made) in found.items()} == {"round-1-v2": "round-1-v2", "main": "round-2"}


@pytest.mark.parametrize(("own", "other"), [("base", "sft"), ("sft", "base")])
def test_results_of_a_run_that_starts_otherwise_are_found_where_they_stand(
    own: str, other: str, tmp_path: Path
) -> None:
    pin = Pin("dataset", "BoKelvin/SLAKE", "main", "1" * 40)
    made = Lineage("evaluate", "theirs", 0, "clincot", "slake", "", "", 0, {"benchmark": pin}, facts={"split": "test"})
    (path,) = write(tmp_path, [ROW])
    files = {f"rounds/{other}/lineage.json": made.to_json().encode(), f"{other}-predictions/p.parquet": path}
    recipe = load_recipe("clincot", "phantom", overrides=[f"train.start={own}"])
    with connect(f"local:{tmp_path / 'hub'}", main=False) as hub:
        hub.publish("dataset", "a/theirs", files, tag=other, message=other, private=True)
        side = read_side(Run("mine", recipe, tmp_path, hub, hub, "a"), f"a/theirs@{other}")
    assert (side.row, [p.text for p in side.predictions]) == (Row("base", "direct"), ["yes"])


def test_rounds_are_compared_although_the_newest_is_not_evaluated_yet(
    sealed: SealedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = adapters.all_of(sealed.run)
    monkeypatch.setattr(adapters, "all_of", lambda run: [*trained, replace(trained[-1], round=2)])
    assert compare_rows(sealed.run, "base", "round-1/direct", []).first.name.startswith(sealed.run.results_repo)
