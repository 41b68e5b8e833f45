"""What is refused before any work: a model that the Hub lacks, a run that holds a round of another method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clincot import methods
from clincot.errors import RecipeError
from clincot.recipe import load_recipe
from clincot.runs import releases
from clincot.runs.releases.cards.method import stated_by
from clincot.runs.tables.plan import Asked, plan
from clincot.runs.tables.table import begin


def test_a_row_whose_model_the_hub_lacks_is_refused_or_left_out_where_nobody_named_it(tmp_path: Path) -> None:
    hub = f"local:{tmp_path / 'hub'}"
    named = plan(Asked(1, ("base",), 1, ("fisao",)))
    with pytest.raises(RecipeError, match=r"fisao: models.similarity: openai/clip.* is not on local:"):
        begin(named, named.jobs, runs=tmp_path, hub=hub, say=print)
    every = plan(Asked(1, ("base",)))
    begun = begin(every, every.jobs, runs=tmp_path, hub=hub, say=print)
    assert set(begun.left_out) == {"fisao"} and len(begun.jobs) == len(every.jobs) - 1


def test_a_run_with_a_round_of_another_method_is_refused_by_name(tmp_path: Path) -> None:
    hub, planned = f"local:{tmp_path / 'hub'}", plan(Asked(1, ("base",), 1, ("sima",)))
    begun = begin(planned, planned.jobs, runs=tmp_path, hub=hub, say=print)
    run = begun.workshop.open(planned.jobs[-1])
    facts = {"method": stated_by(methods.of_recipe(load_recipe("dpo"))).to_facts(), "pairs": 1}
    made = replace(run.lineage("build-data", 1, "inputs", facts=facts), method="dpo")
    (tmp_path / "rows.parquet").write_bytes(b"rows")
    files = {"round-1/train-00000-of-00001.parquet": tmp_path / "rows.parquet"}
    releases.commit(run, "dataset", run.preferences_repo, files, made)
    run.store.close()
    with pytest.raises(RecipeError, match="its round 1 is of method dpo, and the recipe's method is sima. Move"):
        begin(planned, planned.jobs, runs=tmp_path, hub=hub, say=print)
