"""A job and the run of its first stage -> the recipe whose policy is that run's merged model, on the target Hub."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from clincot.recipe import Recipe
from clincot.records.lineage import content_key
from clincot.runs.exporting import export_round, push_merged
from clincot.runs.run import Run

DIGITS = 8


def merged_recipe(run: Run, source: Run, key: str) -> Recipe:
    """Return the run's recipe with the model of `source`, its last round merged into its base, as the policy.

    The model is published to the target once; its name ends in digits of `key` and of the folder of the runs, so that
    other settings or another code never find it.
    """
    digits = content_key(source.folder.parent.name, key)[:DIGITS]
    repo = f"{source.adapter_repo}-merged-{digits}"
    if not source.target.exists("model", source.on_target(repo)):
        with tempfile.TemporaryDirectory(dir=source.folder) as folder:
            out = Path(folder) / "merged"
            adapter, _ = export_round(source, source.recipe.rounds, out)
            push_merged(source, adapter, out, repo)
    policy = replace(run.recipe.models.policy, repo=source.on_target(repo), revision="main")
    return replace(run.recipe, models=replace(run.recipe.models, policy=policy))
