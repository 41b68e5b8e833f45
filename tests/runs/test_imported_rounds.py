"""Imported rows as a round of a run: tags, lineage, cards, what may be pushed where, and the way out again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from clincot.errors import ClincotError, DataError, RoundError, TagExists
from clincot.recipe import load_recipe
from clincot.rows import formats
from clincot.runs.redistribution.licences import check_release
from clincot.runs.releases import Release, pushing
from clincot.runs.releases.cards import adapter_card, dataset_card
from clincot.runs.rounds.exported import export_round
from clincot.runs.rounds.imported import RowsToImport, import_round
from clincot.runs.rounds.imported_facts import RELEASED, stated_of
from clincot.runs.rounds.pair import pair_round
from clincot.runs.run import Run, open_run
from tests.objectives.rows import png


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    recipe = load_recipe("rows", "phantom")
    opened = open_run(recipe, name="mine", hub=f"local:{tmp_path / 'hub'}", folder=tmp_path / "runs")
    yield opened
    opened.store.close()
    opened.target.close()


def write(folder: Path, *chosen: str, weight: float = 0.5) -> Path:
    folder.mkdir(exist_ok=True)
    rows = []
    for number, text in enumerate(chosen):
        (folder / f"Mustermann-{number}.png").write_bytes(png(number))
        asked = {"from": "human", "value": "<image>\nIs there a nodule?"}
        sides = [[asked, {"from": "gpt", "value": said}] for said in (text, "No")]
        row = {"image": f"Mustermann-{number}.png", "conversations": sides[0], "rejected_conversations": sides[1]}
        rows.append(row | {"weighted_score": weight})
    (folder / "rows.json").write_text(json.dumps(rows))
    return folder / "rows.json"


def given(path: Path | str, **more: object) -> RowsToImport:
    return replace(RowsToImport(str(path), "mmedpo"), **more)


def imported(run: Run, rows: RowsToImport, *, new_version: bool = False, round_: int = 1) -> tuple[Release, list[str]]:
    said: list[str] = []
    return import_round(run, rows, round_, new_version=new_version, say=said.append), said


def test_a_round_of_imported_rows_is_tagged_once_and_never_moves(run: Run, tmp_path: Path) -> None:
    first, said = imported(run, given(write(tmp_path / "in", "Yes", "Yes, one")))
    assert (first.tag, first.fresh, first.lineage.sampled_from, first.lineage.method) == (
        "round-1",
        True,
        None,
        "imported",
    )
    assert first.lineage.benchmark == "" and first.lineage.pins == {} and "weights: 0.5: 2" in said
    again, _ = imported(run, given(write(tmp_path / "elsewhere", "Yes", "Yes, one")))
    assert not again.fresh and again.pin == first.pin
    others = given(write(tmp_path / "other", "Yes", "Left"))
    with pytest.raises(TagExists, match="has other rows.*--new-version for 'round-1-v2'"):
        imported(run, others)
    assert imported(run, others, new_version=True)[0].tag == "round-1-v2"
    with pytest.raises(DataError, match="its pairs were imported"):
        pair_round(run, 1)


def test_the_card_tells_what_is_known_and_no_more(run: Run, tmp_path: Path) -> None:
    made, _ = imported(run, given(write(tmp_path / "in", "Yes", "Yes, one"), licence="cc-by-nd-4.0", languages=("de",)))
    card = (run.store.snapshot(made.pin) / "README.md").read_text()
    for words in ("license: cc-by-nd-4.0", "- de\n", "the loss is weight × DPO", "clincot wrote none of the texts"):
        assert words in card, words
    for words in ("Mustermann", "benchmark", "No physician", "The sources decide", "rows.json"):
        assert words not in card, words
    bare, _ = imported(run, given(write(tmp_path / "in", "Yes"), margin="0.25"), new_version=True)
    card = dataset_card("me/mine-preferences", {"round-1": bare.lineage})
    assert "language:" not in card and "license:" not in card and "a margin, 0.25, the same for all" in card
    trained = replace(bare.lineage, stage="train", benchmark="phantom")
    card = adapter_card("me/mine", {"round-1": trained})
    assert "trained on preference pairs of others" in card and "`phantom`" not in card


def test_only_mmedpos_released_files_are_called_so() -> None:
    facts = {"weights": {"1": 2}}
    for sha, title in ((next(iter(RELEASED)), "MMedPO (released text pairs)"), ("0" * 64, "imported rows (MMedPO's")):
        assert stated_of(formats.load("mmedpo"), None, [sha], facts, "none").title.startswith(title)


PUSHES = [
    ({}, True, "local", None),
    ({}, True, "far", "The imported rows are restricted"),
    ({"privacy": "consented"}, True, "far", None),
    ({"privacy": "consented", "licence": "mit"}, False, "far", "are consented, so nothing"),
    ({"privacy": "public"}, False, "far", "have no licence"),
    ({"privacy": "public", "licence": "CC-BY-NC-ND-4.0"}, False, "far", "forbids passing on"),
    ({"privacy": "public", "licence": "mit"}, False, "far", None),
]


@pytest.mark.parametrize(("terms", "private", "place", "says"), PUSHES)
@pytest.mark.parametrize("stage", ["build-data", "train"])
def test_rows_and_what_is_trained_on_them_go_where_their_terms_allow(
    run: Run, tmp_path: Path, terms: dict, private: bool, place: str, says: str | None, stage: str
) -> None:
    made = imported(run, given(write(tmp_path / "in", "Yes"), **terms))[0].lineage
    made = made if stage == "build-data" else replace(made, stage="train", benchmark="phantom")
    target = run.target if place == "local" else SimpleNamespace(endpoint="https://hub.example", label="far")
    elsewhere = replace(run, target=target, private=private)
    if says is None:
        return check_release(elsewhere, made)
    with pytest.raises(DataError, match=says):
        check_release(elsewhere, made)


def test_rows_of_a_repository_are_pinned_pushed_and_loaded_by_anyone(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "in", "Yes", "Yes, one")
    files = {path.name: path for path in (tmp_path / "in").iterdir()}
    pin = run.target.publish("dataset", "someone/pairs", files, tag="v1", message="rows", private=True)
    made, _ = imported(run, given("someone/pairs@v1"))
    assert made.lineage.pins["rows"].sha == pin.sha and made.lineage.facts["source"] == "someone/pairs"
    pushed = pushing.push(run, made, lambda _: None)
    folder = run.target.snapshot(pushed.pushed)
    rows = load_dataset(str(folder), "round-1", split="train", cache_dir=str(tmp_path / "cache"))
    assert rows[0]["chosen"] == "Yes" and rows[0]["images"][0].size == (36, 40)
    more = {"a.jsonl": files["rows.json"], "b.jsonl": files["rows.json"]}
    run.target.publish("dataset", "someone/two", more, tag="v1", message="rows", private=True)
    with pytest.raises(DataError, match="several files of rows: a.jsonl, b.jsonl. Name one: REPO:PATH"):
        imported(run, given("someone/two@v1"))
    with pytest.raises(DataError, match="has no file of rows like c.*It has: a.jsonl, b.jsonl"):
        imported(run, given("someone/two@v1:c*"))
    with pytest.raises(ClincotError, match="has no revision 'v9'"):
        imported(run, given("someone/two@v9"))


def test_a_round_leaves_in_another_format_and_a_version_by_its_tag(run: Run, tmp_path: Path) -> None:
    imported(run, given(write(tmp_path / "in", "Yes", "Yes, one"), licence="mit"))
    imported(run, given(write(tmp_path / "in", "Left")), new_version=True)
    done = export_round(run, "1", tmp_path / "new", "swift", None)
    assert (done.outcome.rows, done.pin.revision) == (1, "round-1-v2")
    old = export_round(run, "round-1", tmp_path / "newest", "trl", None)
    assert old.pin.revision == "round-1-v2"  # a round is its newest version, as everywhere
    assert "Licence: not known" in (tmp_path / "newest/README.md").read_text()
    assert pq.read_table(tmp_path / "newest/train.parquet").num_rows == 1
    for name, says in (("round-1-v7", "has no tag 'round-1-v7'"), ("first", "is no round"), ("2", "has no preference")):
        with pytest.raises(RoundError, match=says):
            export_round(run, name, tmp_path / "none", "trl", None)
    assert not (tmp_path / "none").exists()
