"""Pairs of a finished round drawn again: the same by the same settings, others by others, never with a model."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sealed_run import SealedRun, sealed_recipe, small_recipe

from clincot import engines, judges, methods, regions
from clincot.errors import DataError, RecipeError
from clincot.runs.pairing import drawn_alone, drawn_otherwise
from clincot.runs.redistribution import redacted
from clincot.runs.releases import Release, read_lineage
from clincot.runs.releases.content import own_pin
from clincot.runs.rounds.pair import pair_round, redraw
from clincot.runs.run import Run


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading anything fails: drawing pairs must not even try."""

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a model was loaded")

    for module in (engines, regions, judges):
        monkeypatch.setattr(module, "load", refuse)


def asked(sealed: SealedRun, *overrides: str) -> Run:
    return dataclasses.replace(sealed.run, recipe=sealed_recipe(*overrides))


def built(sealed: SealedRun, part: str) -> Path:
    return sealed.run.folder / f"round-1/build/merged/{part}.parquet"


def again(sealed: SealedRun, run: Run, folder: Path) -> tuple[dict[str, Path], dict[str, Any]]:
    path = folder / "pairs.parquet"
    files, facts = redraw(run, run.store, sealed.build.pin, sealed.build.lineage, path)
    return {name.partition("/")[0]: one for name, one in files.items()} | {"full": path}, facts


def test_the_same_settings_give_the_same_rows_and_facts(sealed: SealedRun, tmp_path: Path) -> None:
    files, facts = again(sealed, sealed.run, tmp_path)
    rows, before = pq.read_table(files["full"]), pq.read_table(built(sealed, "pairs"))
    assert rows.num_rows > 0 and rows.equals(before)
    made = sealed.build.lineage.facts
    assert facts == {name: made[name] for name in facts}
    stored = sealed.run.store.list_files(sealed.build.pin)
    for config in ("round-1", "round-1-candidates", "round-1-regions"):
        name = f"{config}/train-00000-of-00001.parquet"
        assert hashlib.sha256(files[config].read_bytes()).hexdigest() == stored[name].oid or config == "round-1"


def test_gamma_consensus_and_judges_change_the_scores_of_pairs_alone(sealed: SealedRun, tmp_path: Path) -> None:
    files, _ = again(sealed, asked(sealed, "method.lookahead.gamma=0", "build.judging.judges=1"), tmp_path)
    first = {row["id"]: row["judge_scores"][0]["own"] for row in redacted.read_rows(built(sealed, "candidates"))}
    rows = list(redacted.read_rows(files["full"]))
    assert rows
    for row in rows:
        scores = [first[row["chosen_candidate"]], first[row["rejected_candidate"]]]
        assert [row["chosen_score"], row["rejected_score"]] == pytest.approx(scores) and scores[0] > scores[1]


def test_other_drawing_is_a_new_version_that_says_whose_candidates_it_draws_among(sealed: SealedRun) -> None:
    run = asked(sealed, "method.pairs_per_step=1", "method.pair_scope=across_regions")
    release = pair_round(run, 1)
    assert (release.tag, release.fresh) == ("round-1-v2", True)
    made = read_lineage(run.store, release.pin, 1)
    assert made.own["paired_from"] == own_pin(run.store, sealed.build.pin)
    before = {"method.pair_scope": "any", "method.pairs_per_step": "2"}
    assert made.facts["paired_from"] == {"tag": "round-1", "before": before}
    assert made.sampled_from == sealed.build.lineage.sampled_from and made.keys == sealed.build.lineage.keys
    assert made.facts["withheld"] and made.facts["pairs"] < sealed.build.lineage.facts["pairs"]
    card = run.store.read(release.pin, "README.md").decode()
    assert "drawn again among the candidates of `round-1`" in card and "method.pairs_per_step 2" in card
    _again_stands(run, release)


def _again_stands(run: Run, release: Release) -> None:
    once_more = pair_round(run, 1)
    assert (once_more.tag, once_more.fresh, once_more.pin.sha) == ("round-1-v2", False, release.pin.sha)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("method.steps=1", "cannot change method.steps: 2 -> 1"),
        ("build.judging.context=blind", "build.judging.context"),
        ("seed=5", "seed: 0 -> 5"),
        ("method.temperature=0.5", "method.temperature"),
    ],
)
def test_what_only_a_build_can_give_is_refused(sealed: SealedRun, override: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        pair_round(asked(sealed, override), 1)


def test_batch_sizes_are_no_difference_and_look_ahead_that_was_never_sampled_is_one() -> None:
    old = sealed_recipe("method.lookahead.gamma=0")
    assert drawn_otherwise(sealed_recipe(), sealed_recipe("build.batch_size=3", "build.threads=1"), "x") == {}
    assert drawn_otherwise(sealed_recipe(), old, "x") == {"method.lookahead.gamma": "0.5 -> 0.0"}
    with pytest.raises(RecipeError, match="cannot change method.lookahead.gamma: 0.0 -> 0.5"):
        drawn_otherwise(old, sealed_recipe(), "x")
    assert drawn_alone(sealed_recipe(), old) and not drawn_alone(old, sealed_recipe()) and not drawn_alone(old, old)


def test_a_method_without_numbers_of_its_own_is_drawn_again_by_the_shared_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "of_recipe", lambda recipe: object())
    assert drawn_otherwise(sealed_recipe(), sealed_recipe("build.cut_texts=train"), "x") == {
        "build.cut_texts": "drop -> train"
    }
    with pytest.raises(RecipeError, match="cannot change method.min_gap"):
        drawn_otherwise(sealed_recipe(), sealed_recipe("method.min_gap=0.4"), "x")


@pytest.mark.parametrize(
    ("method", "read"),
    [
        ("dpo", {"cut_texts", "consensus", "judges"}),
        ("sima", {"cut_texts"}),
        ("mmedpo", set()),
        ("uv_cot", {"cut_texts"}),
    ],
)
def test_what_a_methods_pairs_do_not_read_is_no_other_drawing(method: str, read: set[str]) -> None:
    old = small_recipe(method)
    asks = {
        "cut_texts": "build.cut_texts=train",
        "consensus": "build.judging.consensus=min",
        "judges": "build.judging.judges=1",
    }
    for name, override in asks.items():
        new = small_recipe(method, override)
        assert drawn_alone(old, new) == (name in read)
        if name not in read:
            with pytest.raises(RecipeError, match=f"that cannot change {override.partition('=')[0]}"):
                drawn_otherwise(old, new, "x")


def test_more_judges_than_rated_the_candidates_are_refused(sealed: SealedRun, tmp_path: Path) -> None:
    models = sealed.run.recipe.models
    recipe = dataclasses.replace(sealed.run.recipe, models=dataclasses.replace(models, judges=models.judges * 2))
    with pytest.raises(DataError, match="was rated by 2 judges, not by 4"):
        again(sealed, dataclasses.replace(sealed.run, recipe=recipe), tmp_path)


def test_pairs_of_pairs_drawn_again_are_drawn_among_the_candidates_that_were_sampled(copied: Run) -> None:
    def having(*overrides: str) -> Run:
        return dataclasses.replace(copied, recipe=sealed_recipe(*overrides))

    pair_round(having("method.lookahead.gamma=0", "build.judging.judges=1"), 1)
    back = pair_round(having("method.pairs_per_step=1"), 1)  # gamma and both judges again: the candidates have them
    assert back.tag == "round-1-v3" and back.lineage.own["paired_from"].tag == "round-1"
    first = list(redacted.read_rows(copied.folder / "round-1/build/merged/pairs.parquet"))
    scores = {row["chosen_candidate"]: row["chosen_score"] for row in first}
    scores |= {row["rejected_candidate"]: row["rejected_score"] for row in first}
    drawn = list(redacted.read_rows(copied.folder / "round-1-v3/pair/merged/pairs.parquet"))
    known = [row for row in drawn if row["chosen_candidate"] in scores]
    assert known and all(row["chosen_score"] == scores[row["chosen_candidate"]] for row in known)


def test_masks_that_are_redacted_are_needed_where_pairs_are_drawn_again(sealed: SealedRun, tmp_path: Path) -> None:
    elsewhere = dataclasses.replace(asked(sealed, "method.pairs_per_step=1", "method.min_gap=0.5"), folder=tmp_path)
    with pytest.raises(DataError, match="masks are redacted.*Draw the pairs where they were built"):
        pair_round(elsewhere, 1)


def test_no_region_that_leaves_holds_a_mask(sealed: SealedRun) -> None:
    folder = sealed.run.target.snapshot(sealed.build.pushed)
    rows = list(redacted.read_rows(next((folder / "round-1-regions").glob("*.parquet"))))
    whole = list(redacted.read_rows(built(sealed, "regions")))
    assert [row["crop_id"] for row in rows] == [row["crop_id"] for row in whole]
    assert all(row["mask"] is None for row in rows) and any(row["mask"] for row in whole)
