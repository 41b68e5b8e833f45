"""An order opens the same run in another process, and refuses another version, another folder and other data."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from clincot.errors import RoundError
from clincot.recipe import load_recipe
from clincot.runs import order as orders
from clincot.runs.evaluation.share import open_answering
from clincot.runs.order import TOKEN, RunOrder
from clincot.runs.rounds import share
from clincot.runs.run import Run, open_run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(orders, "PATIENCE", 0.0)
    recipe = load_recipe(overrides=["seed=3", "build.max_images=2"])
    return open_run(recipe, name="small", hub="local:hub", namespace="somebody", folder=Path("runs"))


def test_the_same_run_opens_from_any_folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = RunOrder.of(run)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    opened = order.open()
    assert Path.cwd() == tmp_path
    assert (opened.name, opened.namespace, opened.recipe) == (run.name, run.namespace, run.recipe)
    assert opened.folder.resolve() == run.folder.resolve()
    assert opened.target.label == f"local:{tmp_path / 'hub'}"


def test_models_take_turns_in_other_processes_too(run: Run) -> None:
    """A stored recipe does not say so; workers that kept all models on a GPU of 24 GB would not fit."""
    own = ("models.resident=one", "models.shards_together=7", "models.trusted_hosts=[gpu-1.lan]")
    own += ("models.policy.load.device_map=cuda:1",)
    turns = load_recipe(overrides=own)
    assert RunOrder.of(replace(run, recipe=turns)).open().recipe == turns


def test_what_a_process_is_sent_needs_no_object_store(run: Run) -> None:
    """Ray sends what takes less than 100 kB with the call; images, texts and weights go by paths."""
    order = RunOrder.of(run)
    for work in (share.open_round, open_answering):
        assert len(pickle.dumps(partial(work, order, 1, "round-1", "0" * 64))) < 20_000


def test_another_version_of_the_package_is_refused(run: Run) -> None:
    with pytest.raises(RoundError, match=r"node .*: has clincot .*, the command has 0\.0\.9\. Install the same"):
        replace(RunOrder.of(run), version="0.0.9").open()


@pytest.mark.parametrize("broken", ["a local folder of the same name", "no token", "no working directory"])
def test_a_machine_without_the_shared_folder_is_named(run: Run, broken: str) -> None:
    order = RunOrder.of(run)
    if broken == "a local folder of the same name":
        (run.folder / TOKEN).write_text("of another command")
    elif broken == "no token":
        os.remove(run.folder / TOKEN)
    else:
        order = replace(order, where="/nowhere")
    with pytest.raises(RoundError, match="does not see the run's folder .*small of the machine that gave the command"):
        order.open()


def test_a_round_of_other_models_or_data_is_refused(sealed: object, monkeypatch: pytest.MonkeyPatch) -> None:
    run: Run = sealed.run  # type: ignore[attr-defined]
    with pytest.raises(RoundError, match="round 1: the models or the data have changed since the command began"):
        share.open_round(RunOrder.of(run), 1, "round-1", "other inputs")
