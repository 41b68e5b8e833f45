"""Pairs of a finished round drawn again: the same by the same settings, others by others, never with a model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sealed_run import SealedRun, sealed_recipe

from clincot import engines, judges, regions
from clincot.errors import DataError, RecipeError
from clincot.recipe import Recipe
from clincot.runs.redistribution import redacted
from clincot.runs.releases import Release, read_lineage
from clincot.runs.releases.content import own_pin
from clincot.runs.repair import repair_round, repaired
from clincot.runs.run import Run


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading anything fails: repairing must not even try."""

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a model was loaded")

    for module in (engines, regions, judges):
        monkeypatch.setattr(module, "load", refuse)


def asked(sealed: SealedRun, *overrides: str) -> Run:
    return dataclasses.replace(sealed.run, recipe=sealed_recipe(*overrides))


def built(sealed: SealedRun, part: str) -> Path:
    return sealed.run.folder / f"round-1/build/merged/{part}.parquet"


def again(sealed: SealedRun, run: Run, old: Recipe, folder: Path) -> dict[str, Path]:
    outcome, _ = repaired(run, old, run.store, sealed.build.pin, sealed.build.lineage, folder)
    return {name.partition("/")[0]: path for name, path in outcome.files.items()}


def test_the_same_settings_give_the_same_rows_byte_for_byte(sealed: SealedRun, tmp_path: Path) -> None:
    files = again(sealed, sealed.run, sealed.run.recipe, tmp_path / "again")
    for config, part in (("round-1", "pairs"), ("round-1-candidates", "candidates"), ("round-1-regions", "regions")):
        rows, before = pq.read_table(files[config]), pq.read_table(built(sealed, part))
        assert rows.num_rows > 0 and rows.equals(before), part
    outcome, _ = repaired(
        sealed.run, sealed.run.recipe, sealed.run.store, sealed.build.pin, sealed.build.lineage, tmp_path / "facts"
    )
    for name in (
        "pairs",
        "drops",
        "scores_histogram",
        "mean_words_chosen",
        "distinct_image_bytes",
        "questions",
        "hypotheses",
    ):
        assert outcome.facts[name] == sealed.build.lineage.facts[name], name


def test_scores_computed_anew_from_the_ratings_are_those_of_the_build(sealed: SealedRun, tmp_path: Path) -> None:
    other = sealed_recipe("method.lookahead.gamma=0.25", "build.judging.consensus=min")
    there = again(sealed, asked(sealed), other, tmp_path / "there")  # `other` differs: every score is computed anew
    assert pq.read_table(there["round-1"]).equals(pq.read_table(built(sealed, "pairs")))


def test_gamma_consensus_and_judges_change_the_scores_and_only_them(sealed: SealedRun, tmp_path: Path) -> None:
    run = asked(sealed, "method.lookahead.gamma=0", "build.judging.judges=1")
    files = again(sealed, run, sealed.run.recipe, tmp_path / "again")
    before = {row["id"]: row for row in redacted.read_rows(built(sealed, "candidates"))}
    rows = list(redacted.read_rows(files["round-1-candidates"]))
    assert rows and {row["id"] for row in rows} == set(before)
    for row in rows:
        assert row["score"] == row["judge_scores"][0]["own"]
        assert [s["own"] for s in row["judge_scores"]] == [s["own"] for s in before[row["id"]]["judge_scores"]]
        assert (row["text"], row["findings"]) == (before[row["id"]]["text"], before[row["id"]]["findings"])
    scores = {row["id"]: row["score"] for row in rows}
    for pair in redacted.read_rows(files["round-1"]):
        assert scores[pair["chosen_candidate"]] > scores[pair["rejected_candidate"]]


def test_other_drawing_is_a_new_version_that_says_what_it_was_repaired_from(sealed: SealedRun) -> None:
    run = asked(sealed, "method.pairs_per_step=1", "method.pair_scope=across_regions")
    release = repair_round(run, 1)
    assert (release.tag, release.fresh) == ("round-1-v2", True)
    made = read_lineage(run.store, release.pin, 1)
    assert made.own["repaired_from"] == own_pin(run.store, sealed.build.pin)
    assert (
        made.facts["repaired_from"]["pairing"]["pairs_per_step"] == 2 and made.facts["pairing"]["pairs_per_step"] == 1
    )
    assert made.sampled_from == sealed.build.lineage.sampled_from and made.keys == sealed.build.lineage.keys
    assert made.facts["withheld"] and made.facts["pairs"] < sealed.build.lineage.facts["pairs"]
    card = run.store.read(release.pin, "README.md").decode()
    assert "repaired from `round-1`" in card
    _again_stands(run, release)


def _again_stands(run: Run, release: Release) -> None:
    once_more = repair_round(run, 1)
    assert (once_more.tag, once_more.fresh, once_more.pin.sha) == ("round-1-v2", False, release.pin.sha)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("method.steps=1", r"cannot change method.steps = 1 \(was 2\)"),
        ("build.judging.context=blind", "build.judging.context"),
        ("seed=5", "seed = 5"),
        ("method.temperature=0.5", "method.temperature"),
    ],
)
def test_what_only_a_build_can_give_is_refused(sealed: SealedRun, override: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        repair_round(asked(sealed, override), 1)


def test_batch_sizes_are_no_difference_and_a_lost_rating_is_one(sealed: SealedRun, tmp_path: Path) -> None:
    again(sealed, asked(sealed, "build.batch_size=3", "build.threads=1"), sealed.run.recipe, tmp_path / "again")
    with pytest.raises(RecipeError, match="gamma was 0"):
        from clincot.runs._redraw import same_chain

        same_chain(sealed_recipe("method.lookahead.gamma=0"), sealed_recipe(), "x")


def test_masks_that_are_redacted_are_needed_where_pairs_are_repaired(sealed: SealedRun, tmp_path: Path) -> None:
    elsewhere = dataclasses.replace(asked(sealed, "method.pairs_per_step=1", "method.min_gap=0.5"), folder=tmp_path)
    with pytest.raises(DataError, match="masks are redacted.*Repair the pairs where they were built"):
        repair_round(elsewhere, 1)


def test_no_region_that_leaves_holds_a_mask(sealed: SealedRun) -> None:
    folder = sealed.run.target.snapshot(sealed.build.pushed)
    rows = list(redacted.read_rows(next((folder / "round-1-regions").glob("*.parquet"))))
    whole = list(redacted.read_rows(built(sealed, "regions")))
    assert [row["crop_id"] for row in rows] == [row["crop_id"] for row in whole]
    assert all(row["mask"] is None for row in rows) and any(row["mask"] for row in whole)
