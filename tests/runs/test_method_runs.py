"""One round of each method by its shipped recipe, from questions to adapter, with the phantom's real tiny models."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from sealed_run import SMALL, SealedRun

from clincot.errors import TagExists
from clincot.recipe import load_recipe
from clincot.runs.rounds.build import build_round
from clincot.runs.rounds.train import train_round
from clincot.runs.run import Run, open_run

SHARED = [one for one in SMALL if not one.startswith(("method.", "rounds"))]
WARM = ["method.temperature=2", "method.top_p=1"]  # answers must differ, of tiny models


def run_of(name: str, sealed: SealedRun, folder: Path, *overrides: str) -> Run:
    recipe = load_recipe(name, "phantom", benchmark="sealed", overrides=[*SHARED, "train.start=base", *overrides])
    return open_run(recipe, name="one", hub=f"local:{sealed.hub}", folder=folder / "runs")


@pytest.mark.parametrize(
    ("name", "overrides", "says", "sources"),
    [
        ("dpo", ["method.contradicts=1"], "Inferred", {"gold", "policy"}),
        ("self-rewarding", [*WARM, "method.judgements=5"], "judged each of them itself", {"policy"}),
        ("sima", WARM, "compared them itself", {"policy"}),
        ("stllava-med", ["method.low=1.5", "method.high=2"], "rated each of the two", {"policy"}),
        ("clincot-no-regions", ["method.temperature=2", "method.min_gap=0.000001"], "An ablation", {"policy"}),
    ],
)
def test_a_method_builds_and_trains_a_round_and_its_card_says_what_it_did(
    name: str, overrides: list[str], says: str, sources: set[str], sealed: SealedRun, tmp_path: Path
) -> None:
    run = run_of(name, sealed, tmp_path, *overrides)
    built = build_round(run, 1)
    facts = built.lineage.facts
    assert facts["pairs"] > 0 and sources <= set(facts["candidate_sources"]) <= {*sources, "editor"}
    card = run.store.read(built.pin, "README.md").decode()
    assert says in card and "crop" not in card.partition("## How it was made")[2].partition("\n|")[0]
    assert train_round(run, 1).lineage.facts["pairs"] == facts["pairs"]
    run.store.close()


def test_a_round_of_another_method_in_the_same_run_is_refused_by_name(sealed: SealedRun, tmp_path: Path) -> None:
    run = run_of("dpo", sealed, tmp_path)
    build_round(run, 1)
    other = dataclasses.replace(run, recipe=run_of("sima", sealed, tmp_path).recipe)
    with pytest.raises(TagExists, match="method.*dpo -> sima"):
        build_round(other, 1)
    run.store.close()
