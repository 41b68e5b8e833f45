"""The search of rates and betas: the same number of settings for every row, and the best by validation."""

from __future__ import annotations

from clincot.runs.tables.plan import Asked, plan
from clincot.runs.tables.tuning import SETTINGS, chosen, lines_of, trials_of

PLAN = plan(Asked(1, ("sft",), 2, ("dpo-frozen", "clincot-nll", "sft-matched"), overrides=("train.dpo.beta=0.1",)))


def test_every_trained_row_has_six_settings_around_its_own_numbers_on_validation() -> None:
    trials = trials_of(PLAN)
    units = [trial.unit for trial in trials]
    assert SETTINGS == 6 and {unit: units.count(unit) for unit in units} == dict.fromkeys(
        ["sft-sft", "dpo-frozen-sft", "clincot-nll-sft", "clincot-sft"], 6
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


def test_the_best_on_validation_is_chosen_the_first_of_a_tie_and_the_table_has_it() -> None:
    trials = [trial for trial in trials_of(PLAN) if trial.unit == "dpo-frozen-sft"]
    scores = {trial.job.name: value for trial, value in zip(trials, [50.0, 52.0, 52.0, 51.0, 10.0], strict=False)}
    best = chosen(trials, scores)
    assert best == {"dpo-frozen-sft": trials[1]}
    lines = lines_of(trials, scores, best)
    assert [line[3] for line in lines] == ["", "yes", "", "", "", ""] and lines[1][2] == "52.00" and lines[5][2] == ""
    tuned = plan(Asked(1, ("sft",), 1, ("dpo-frozen",), tuned=(("dpo-frozen-sft", best["dpo-frozen-sft"].overrides),)))
    job = next(job for job in tuned.jobs if job.unit == "dpo-frozen-sft")
    assert job.recipe.train.dpo["beta"] == trials[1].job.recipe.train.dpo["beta"] and tuned.world.endswith("-tuned")
