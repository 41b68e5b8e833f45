"""The reference computed once: the run that computes it in every step, at less cost; pairs that it leaves out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from clincot.errors import DataError, RecipeError
from clincot.objectives.margin_dpo import MarginDPOTrainer
from clincot.recipe import LaterRounds, Train
from clincot.recipe.rounds import of_round
from clincot.stages.train import dpo
from clincot.stages.train.dpo import TrainJob, train_adapter
from clincot.stages.train.reference import LIKELIER
from tests.objectives.rows import make_group, make_row, write_rows
from tests.stages.train.test_train import make_recipe
from tests.tiny import tiny_policy


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_policy(tmp_path_factory.mktemp("policy") / "base")


@pytest.fixture(scope="module")
def job(base: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainJob:
    """Six pairs of three questions, each side after the chosen side's crop: no stored reference would hold."""
    folder = tmp_path_factory.mktemp("rows")
    rows = write_rows(folder / "part.parquet", [*make_group(0), make_row(8), make_row(9, weight=0.5)])
    recipe = make_recipe(conditioning="winner")
    return TrainJob(recipe, 1, (rows,), base, str(base), None, folder / "job", stored_reference=False)


def computed(patch: pytest.MonkeyPatch) -> list[int]:
    """The pairs of each forward pass of the reference from now on."""
    seen: list[int] = []
    original = MarginDPOTrainer.compute_ref_log_probs

    def listen(self: Any, model: Any, inputs: dict[str, Any]) -> Any:
        seen.append(len(inputs["row_ids"]))
        return original(self, model, inputs)

    patch.setattr(MarginDPOTrainer, "compute_ref_log_probs", listen)
    return seen


def test_losses_and_rewards_are_those_of_a_reference_in_every_step(job: TrainJob, monkeypatch: Any) -> None:
    seen = computed(monkeypatch)
    once = train_adapter(job)
    passes = len(seen)
    kept = list(job.folder.glob("reference-*.parquet"))
    again = train_adapter(dataclasses.replace(job, recipe=make_recipe(conditioning="winner", dpo={"beta": 0.4})))
    second = len(seen) - passes
    monkeypatch.setattr(dpo, "keep_reference", lambda *given, **more: None)
    every = train_adapter(dataclasses.replace(job, folder=job.folder.with_name("every")))
    logged = [[entry["loss"] for entry in outcome.history if "loss" in entry] for outcome in (once, every)]
    assert logged[0] == pytest.approx(logged[1], abs=1e-6) and len(set(logged[0])) > 4
    # Weights are not compared: Adam makes whole steps of gradients that are rounding alone.
    rewards = [[entry["rewards/chosen"] for entry in outcome.history if "loss" in entry] for outcome in (once, every)]
    assert rewards[0] == pytest.approx(rewards[1], abs=1e-5)
    assert (once.facts["kept_references"], again.facts["kept_references"], every.facts["kept_references"]) == (6, 6, 0)
    # Layout and first step look at pairs too; a round of another beta has them on disk; else each step has its own.
    steps = once.facts["steps"]
    assert len(kept) == 1 and second < passes < len(seen) - passes - second and steps == 6


def test_exchanged_pairs_do_not_read_the_reference_of_the_pairs_as_judged(job: TrainJob, tmp_path: Path) -> None:
    """In one folder, as `clincot train --new-version` has it, and in a fresh one: the same first losses."""
    exchanged = make_recipe(conditioning="winner", preferences="shuffled")
    train_adapter(dataclasses.replace(job, folder=tmp_path / "one"))
    runs = [
        train_adapter(dataclasses.replace(job, folder=tmp_path / name, recipe=exchanged)) for name in ("one", "fresh")
    ]
    losses = [[entry["loss"] for entry in outcome.history if "loss" in entry] for outcome in runs]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert len(list((tmp_path / "one").glob("reference-*.parquet"))) == 2


def test_it_is_computed_once_only_where_pairs_are_read_again(job: TrainJob, tmp_path: Path) -> None:
    recipe = make_recipe(conditioning="winner", dpo={"num_train_epochs": 1})
    outcome = train_adapter(dataclasses.replace(job, recipe=recipe, folder=tmp_path))
    assert outcome.facts["kept_references"] == 0 and not list(tmp_path.glob("reference-*"))


def test_pairs_whose_rejected_text_is_likelier_are_left_out(job: TrainJob, tmp_path: Path, monkeypatch: Any) -> None:
    made: list[Any] = []
    original = dpo._trainer
    monkeypatch.setattr(dpo, "_trainer", lambda *given: made.append(original(*given)) or made[-1])
    for layout in ("shared", "group"):
        recipe = make_recipe(conditioning="winner", likelier_rejected="drop", batch_layout=layout)
        facts = train_adapter(dataclasses.replace(job, recipe=recipe, folder=tmp_path / layout)).facts
        kept = made[-1].data_collator.pairs.kept
        likelier = [i for i, value in kept["ref_rejected_logp"].items() if value > kept["ref_chosen_logp"][i]]
        assert facts["dropped_pairs"] == {LIKELIER: len(likelier)} and 0 < len(likelier) < 6
        collator = made[-1].data_collator
        left = {row["id"] for element in made[-1].train_dataset for row in collator.rows(element)}
        assert left == kept["ref_chosen_logp"].keys() - set(likelier) and facts["pairs"] == len(left)


def test_a_rule_of_likelihood_needs_ids_that_differ(job: TrainJob, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "part.parquet", [make_row(0), make_row(1, id="row-0")])
    recipe = make_recipe(likelier_rejected="drop")
    with pytest.raises(DataError, match="train.likelier_rejected: the reference of these pairs"):
        train_adapter(dataclasses.replace(job, recipe=recipe, rows=(rows,), folder=tmp_path / "job"))


def test_training_ends_and_says_so_where_chosen_texts_become_unlikely(
    job: TrainJob, tmp_path: Path, capfd: Any
) -> None:
    recipe = make_recipe(conditioning="winner", guard_chosen=1e-4, dpo={"learning_rate": 5e-2, "num_train_epochs": 20})
    outcome = train_adapter(dataclasses.replace(job, recipe=recipe, folder=tmp_path))
    stopped = outcome.facts["stopped"]
    rewards = [entry["rewards/chosen"] for entry in outcome.history if "loss" in entry]
    assert rewards[-1] == stopped["rewards_chosen"] < -1e-4 <= min(rewards[:-1])
    assert outcome.facts["steps"] == stopped["step"] < stopped["of"] == 60
    assert f"training ended at step {stopped['step']} of 60: the mean rewards/chosen is" in capfd.readouterr().err


def test_later_rounds_differ_by_what_the_recipe_says() -> None:
    later = LaterRounds(rate=0.1, nll_weight=0.5, objective="povid_noise")
    train = Train(dpo={"learning_rate": 1e-3}, projector_lr=1e-2, nll_weight=0.25, later_rounds=later)
    first, second = of_round(train, 1), of_round(train, 2)
    assert first == dataclasses.replace(train, later_rounds=LaterRounds()) and of_round(train, 5) == second
    assert second.dpo["learning_rate"] == pytest.approx(1e-4) and second.projector_lr == pytest.approx(1e-3)
    assert (second.nll_weight, second.objective) == (0.75, "povid_noise")
    with pytest.raises(RecipeError, match="later_rounds.rate: multiplies train.dpo.learning_rate"):
        of_round(Train(later_rounds=later), 2)
