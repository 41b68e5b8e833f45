"""The search of rates and betas: the same number of settings for every row, and the best by validation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clincot.errors import RecipeError
from clincot.runs.tables.plan import Asked, plan
from clincot.runs.tables.tuning import SETTINGS, chosen, lines_of, search, trials_of

PLAN = plan(Asked(1, ("sft",), 2, ("dpo-frozen", "clincot-nll", "sft-matched"), overrides=("train.dpo.beta=0.1",)))


def test_every_trained_row_has_six_settings_around_its_own_numbers_on_validation() -> None:
    trials = trials_of(PLAN)
    units = [trial.unit for trial in trials]
    assert SETTINGS == 6 and {unit: units.count(unit) for unit in units} == dict.fromkeys(
        ["sft-sft", "dpo-frozen-sft", "clincot-nll-sft", "clincot-sft", "sft-matched-sft"], 6
    )
    assert len({trial.job.name for trial in trials}) == len(trials)
    assert {trial.job.recipe.evaluate.split for trial in trials} == {"validation"}
    dpo = [trial.job.recipe.train.dpo for trial in trials if trial.unit == "dpo-frozen-sft"]
    assert {round(one["learning_rate"] / 5e-4, 2) for one in dpo} == {0.33, 1, 3} and {one["beta"] for one in dpo} == {
        0.1,
        0.3,
    }
    sft = [trial.job.recipe.train.sft["num_train_epochs"] for trial in trials if trial.unit == "sft-sft"]
    assert set(sft) == {2, 6}
    assert all(trial.job.from_sft is None or trial.job.from_sft.name == "sft-sft-s0" for trial in trials)


def test_six_settings_differ_also_where_no_beta_and_no_epochs_can_be_chosen() -> None:
    """A beta that gives the preference no gradient is no second setting, nor are epochs that tokens decide."""
    trials = trials_of(PLAN)
    assert len({trial.job.key for trial in trials}) == len(trials)
    nll = [trial.job.recipe.train for trial in trials if trial.unit == "clincot-nll-sft"]
    assert len({train.dpo["learning_rate"] for train in nll}) == 6 and len({train.dpo["beta"] for train in nll}) == 1
    matched = [trial.job.recipe.train.sft for trial in trials if trial.unit == "sft-matched-sft"]
    assert len({sft["learning_rate"] for sft in matched}) == 6 and len({str(sft.keys()) for sft in matched}) == 1
    rates = sorted(train.dpo["learning_rate"] for train in nll)
    assert [b / a for a, b in zip(rates, rates[1:], strict=False)] == pytest.approx([3**0.5] * 5, rel=1e-3)


def test_rows_after_sft_are_tried_and_made_from_sft_as_it_was_chosen() -> None:
    best = ("sft-sft", ("train.sft.learning_rate=0.0123", "train.sft.num_train_epochs=6"))
    tuned = replace(PLAN, asked=replace(PLAN.asked, tuned=(best, ("dpo-frozen-sft", ("train.dpo.beta=0.7",)))))
    for trial in trials_of(tuned):
        start = trial.job.recipe.train.sft
        if trial.unit not in ("sft-sft", "sft-matched-sft"):
            assert (start["learning_rate"], start["num_train_epochs"]) == (0.0123, 6)
            assert trial.job.from_sft is None or trial.job.from_sft.recipe.train.sft == start
    made = {job.unit: job.recipe.train for job in plan(tuned.asked).jobs}
    assert {train.sft["learning_rate"] for train in made.values() if train.start == "sft"} == {0.0123}
    assert made["dpo-frozen-sft"].dpo["beta"] == 0.7


def test_fewer_trials_than_the_budget_choose_nothing(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"--tune --show: 6 of 6 trials are missing in .*, the first sft-sft-t1-s0"):
        search(PLAN, tmp_path, "paper", runs=tmp_path, hub="", say=print, only_there=True)


def test_the_best_on_validation_is_chosen_the_first_of_a_tie_and_the_table_has_it() -> None:
    trials = [trial for trial in trials_of(PLAN) if trial.unit == "dpo-frozen-sft"]
    scores = {trial.job.name: value for trial, value in zip(trials, [50.0, 52.0, 52.0, 51.0, 10.0], strict=False)}
    best = chosen(trials, scores)
    assert best == {"dpo-frozen-sft": trials[1]}
    lines = lines_of(trials, scores, best)
    assert (
        [line[3] for line in lines] == ["", "yes", "", "", "", ""]
        and lines[1][2] == "52.00"
        and lines[5][2] == "not made"
    )
    tuned = plan(Asked(1, ("sft",), 1, ("dpo-frozen",), tuned=(("dpo-frozen-sft", best["dpo-frozen-sft"].overrides),)))
    job = next(job for job in tuned.jobs if job.unit == "dpo-frozen-sft")
    assert job.recipe.train.dpo["beta"] == trials[1].job.recipe.train.dpo["beta"] and tuned.world.endswith("-tuned")
