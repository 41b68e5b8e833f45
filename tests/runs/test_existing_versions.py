"""A finished round and settings: pairs drawn again are those of their settings, others are refused by what differs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from sealed_run import sealed_recipe

from clincot import engines
from clincot.errors import TagExists
from clincot.runs import releases
from clincot.runs.loop import run_rounds
from clincot.runs.releases.conflict import Existing, made_as_asked
from clincot.runs.releases.content import own_pin
from clincot.runs.rounds.build import build_round
from clincot.runs.rounds.pair import pair_round
from clincot.runs.rounds.train import train_round
from clincot.runs.run import Run

ONE = "method.pairs_per_step=1"


def having(run: Run, *overrides: str) -> Run:
    return dataclasses.replace(run, recipe=sealed_recipe(*overrides))


def refused(run: Run) -> str:
    with pytest.raises(TagExists) as error:
        build_round(run, 1)
    return str(error.value)


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(engines, "load", refuse)


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("overrides", [(ONE,), ("build.judging.judges=1", "method.lookahead.gamma=0")])
def test_a_build_with_the_settings_of_pairs_drawn_again_finds_them(copied: Run, overrides: tuple[str, ...]) -> None:
    run = having(copied, *overrides)
    made = pair_round(run, 1)
    stands = build_round(run, 1)
    assert made.fresh and not stands.fresh and (stands.tag, stands.pin.sha) == (made.tag, made.pin.sha)
    # What a build would write may differ from what was drawn again, so a new version is still a build.
    at = ("dataset", run.preferences_repo, 1, made.lineage.inputs)
    assert releases.finished(run, *at, new_version=True) is None


@pytest.mark.usefixtures("no_model")
def test_the_settings_before_other_pairs_are_refused_by_name_and_drawing_again_brings_them_back(copied: Run) -> None:
    pair_round(having(copied, ONE), 1)
    said = refused(copied)
    assert "'round-1-v2'" in said and "  method.pairs_per_step: 1 -> 2\n" in said and "min_gap" not in said
    assert "'round-1' was made as asked now" in said and "`clincot pair --round 1 --name shut` with these" in said
    assert "`clincot build-data --round 1 --name shut --new-version` with these for 'round-1-v3'" in said
    again = pair_round(copied, 1)
    assert (again.tag, build_round(copied, 1).tag) == ("round-1-v3", "round-1-v3")


@pytest.mark.usefixtures("no_model")
def test_only_settings_that_decide_the_stage_are_shown_and_pairing_only_where_it_can_help(copied: Run) -> None:
    said = refused(having(copied, "method.temperature=1.5", "train.dpo.beta=0.7", "evaluate.max_images=1"))
    assert "  method.temperature: 2.0 -> 1.5\n" in said
    assert all(word not in said for word in ("beta", "evaluate.", "clincot pair", "as asked now"))
    with pytest.raises(TagExists) as error:
        train_round(having(copied, "method.temperature=1.5", "train.dpo.beta=0.7"), 1)
    beta = copied.recipe.train.dpo["beta"]
    assert f"  train.dpo.beta: {beta} -> 0.7\n" in str(error.value) and "build.temp" not in str(error.value)


@pytest.mark.usefixtures("no_model")
def test_where_the_settings_agree_the_versions_that_differ_are_named(copied: Run) -> None:
    store = copied.store
    before = own_pin(store, store.resolve("dataset", copied.preferences_repo, "round-1"))
    after = own_pin(store, pair_round(having(copied, ONE), 1).pin)
    with pytest.raises(TagExists) as error:
        train_round(having(copied, ONE), 1)
    assert f"  preferences: {before} -> {after}\n" in str(error.value)
    assert "`clincot train --round 1 --name shut --new-version`" in str(error.value)


@pytest.mark.long
def test_a_run_goes_on_from_pairs_drawn_again_and_does_nothing_twice(copied: Run) -> None:
    run, said = having(copied, ONE), []  # type: ignore[var-annotated]
    pair_round(run, 1)
    done, _ = run_rounds(run, push=False, say=said.append)
    assert [(one.tag, one.fresh) for one in done] == [("round-1-v2", False), ("round-1-v2", True), ("round-1-v2", True)]
    assert done[1].lineage.own["preferences"] == own_pin(run.store, done[0].pin)
    assert done[2].lineage.own["round-1"] == own_pin(run.store, done[1].pin)
    assert any("made from another version of its preferences" in line for line in said)
    again, _ = run_rounds(run, push=False, say=said.append)
    assert [one.fresh for one in again] == [False] * 3
    with pytest.raises(TagExists, match="train.dpo.beta"):
        run_rounds(having(run, ONE, "train.dpo.beta=0.7"), push=False, say=said.append)


@pytest.mark.parametrize("outside", [False, True])
def test_a_round_with_another_key_counts_as_made_by_an_older_version_unless_code_outside_the_package_made_it(
    copied: Run, tmp_path: Path, outside: bool
) -> None:
    (tmp_path / "mine.py").write_text("from clincot.methods.clincot import ClinCoT as Mine\n")
    run = having(copied, f"method.name={tmp_path}/mine.py:Mine") if outside else copied
    pin = run.store.resolve("dataset", run.preferences_repo, "round-1")
    made = dataclasses.replace(releases.read_lineage(run.store, pin, 1), inputs="another key")
    there = Existing(run.preferences_repo, "round-1", made, run.recipe.to_published_yaml())
    assert made_as_asked(run, there, {**made.pins, **made.own}) is not outside
