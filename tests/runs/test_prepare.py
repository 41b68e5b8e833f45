"""What an embedded Hub is given before a run: the shipped models of all roles, also critic and similarity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sealed_run import sealed_recipe

from clincot import benchmarks
from clincot.recipe import ModelSource
from clincot.runs.prepare import prepare
from clincot.runs.run import open_run


def test_every_shipped_model_of_the_setting_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(benchmarks.BENCHMARKS, "sealed", "sealed:Sealed")
    grounder, critic = "clincot/phantom-v2-grounder", "clincot/phantom-v2-critic"
    similarity = "clincot/phantom-v2-similarity"
    recipe = sealed_recipe()
    models = replace(
        recipe.models,
        proposer=ModelSource(grounder, kind="query_grounder"),
        critic=ModelSource(critic, kind="transformers"),
        similarity=ModelSource(similarity, kind="clip_patches"),
    )
    run = open_run(
        replace(recipe, models=models), name="asks", hub=f"local:{tmp_path / 'hub'}", folder=tmp_path / "runs"
    )
    said: list[str] = []
    prepare(run, said.append)
    assert all(run.target.exists("model", repo) for repo in (grounder, critic, similarity))
    assert sum(critic in line for line in said) == 1
    run.store.close()
    run.target.close()
