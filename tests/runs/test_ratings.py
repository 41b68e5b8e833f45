"""A round built twice -> the second version asks its judges nothing that the first recorded."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from sealed_run import SealedRun

from clincot.hub import connect
from clincot.judges.cache import load_known, read
from clincot.runs.rounds.build import build_round
from clincot.runs.rounds.made import RATINGS


def test_another_version_of_a_round_takes_the_ratings_of_the_first(sealed: SealedRun, tmp_path: Path) -> None:
    # Other tests draw the run's pairs again and expect its next version to be the second.
    folder = Path(shutil.copytree(sealed.run.folder, tmp_path / "run"))
    run = replace(sealed.run, folder=folder, store=connect(f"local:{folder / 'store'}", main=False))
    method, config = run.recipe.method, run.recipe.method.config
    method = replace(method, config=replace(config, min_gap=config.min_gap / 2))
    again = replace(run, recipe=replace(run.recipe, method=method))
    first = load_known(run.folder / RATINGS, "round-1")
    assert first

    release = build_round(again, 1, new_version=True)

    assert release.fresh and release.tag != "round-1"
    assert not read(run.folder / RATINGS / f"{release.tag}.parquet")
    plan = (run.folder / release.tag / "build" / "plan.json").read_text()
    assert '"known ratings": "none"' not in plan
