"""All probes of a run whose data may not be passed on: rounds and judges are read, numbers reach files and cards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from clincot.recipe.parts import PROBES
from clincot.runs import releases
from clincot.runs.evaluation.evaluate import evaluate_rounds
from clincot.runs.releases import cards
from clincot.runs.results import RunResults
from clincot.runs.run import Run


def test_every_probe_of_a_run_is_in_its_results_and_on_its_card(copied: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = copied.recipe
    run = replace(copied, recipe=replace(recipe, evaluate=replace(recipe.evaluate, probes=PROBES)))
    done = evaluate_rounds(run, 1, new_version=True)
    evaluation, lineage = done.evaluation, done.release.lineage
    assert {p.probe for p in evaluation.probes} == set(PROBES)
    assert {p.policy for p in evaluation.probes if p.probe == "faithfulness"} == {"base", "round-1"}
    (sides,) = (p for p in evaluation.probes if p.measure == "words of a side")
    assert sides.n == lineage_of_pairs(run) and sides.policy == "round-1"
    assert any("its candidates are redacted" in note for note in evaluation.notes)
    assert any("template is unseen in training" in note for note in evaluation.notes)
    judged = [r for r in evaluation.results if r.protocol == "clincot-judge-v1"]
    assert {r.policy for r in judged} == {"base", "round-1", ""}
    stored = json.loads(run.store.read(done.release.pin, "round-1/results.json"))
    assert len(stored["probes"]) == len(evaluation.probes)
    assert "## Probes" in cards.results_card(run.results_repo, {"round-1": lineage})
    assert len(RunResults(done.release, run, evaluation).frame("probes")) == len(evaluation.probes)
    # Nothing is asked again, neither of a policy nor of a judge.
    monkeypatch.setattr("clincot.judges.causal_lm.CausalLMJudge.rate", asked_again)
    again = evaluate_rounds(run, 1)
    assert not again.release.fresh
    assert repr(again.evaluation.probes) == repr(evaluation.probes)  # nan is not equal to itself


def asked_again(judge: object, requests: Sequence[object]) -> list[object]:
    assert not requests, f"{judge} was asked again"
    return []


def lineage_of_pairs(run: Run) -> int:
    found = releases.find(run, "dataset", run.preferences_repo, 1)
    assert found
    return int(releases.read_lineage(*found, 1).facts["pairs"])
