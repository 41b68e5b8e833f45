"""Licences of models: what a card says, which clause it means, and what a public push needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from sealed_run import SealedRun

from clincot.errors import DataError
from clincot.hub import connect
from clincot.hub.model_cards import ModelTerms, read_terms
from clincot.recipe import ModelSource, load_recipe
from clincot.records.lineage import Lineage
from clincot.runs.redistribution import model_licences
from clincot.runs.redistribution.clauses import check_known, clauses_of
from clincot.runs.redistribution.licences import check_release
from clincot.runs.releases import cards

FACT, ACKNOWLEDGED = model_licences.FACT, model_licences.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("terms", "clauses"),
    [
        (ModelTerms("a/b", "apache-2.0"), []),
        (ModelTerms("m42-health/Llama3-Med42-8B", "llama3"), ["llama3"]),
        (ModelTerms("m42-health/Llama3-Med42-8B"), ["llama3"]),  # no card: its own name counts
        (ModelTerms("a/llama3-style", "mit"), []),  # a card that names a licence decides over the model's own name
        (ModelTerms("a/b", "apache-2.0", base_models=("meta-llama/Meta-Llama-3-8B-Instruct",)), ["llama3"]),
        (ModelTerms("a/b", "other", "llama3"), ["llama3"]),
        (ModelTerms("a/b", "llama3.1", base_models=("meta-llama/Llama-3.1-8B",)), ["llama3.1"]),
        (ModelTerms("a/b", "llama3.2", base_models=("meta-llama/Llama-3.3-70B",)), ["llama3.2", "llama3.3"]),
        (ModelTerms("a/b", "llama2"), ["llama2"]),
        (ModelTerms("huggyllama/llama-30b"), []),  # 30 thousand million parameters, not version 3
        (ModelTerms("TinyLlama/TinyLlama-1.1B"), []),
        (ModelTerms("a/b", "other", "health-ai-developer-foundations"), ["gemma"]),
        (ModelTerms("a/b", base_models=("google/medgemma-4b-it",)), ["gemma"]),
        (ModelTerms("a/b", "apache-2.0", base_models=("google/gemma-4-12B-it",)), []),
        (ModelTerms("a/b", base_models=("google/gemma-2-4b-it",)), ["gemma"]),
        (ModelTerms("a/b", "other", "tongyi-qianwen"), ["tongyi-qianwen"]),
        (ModelTerms("a/b", "other", "tencent-hunyuan-community"), ["hunyuan"]),
        (ModelTerms("a/b", "other", "qwen", base_models=("Qwen/Qwen2.5-72B",)), ["qwen"]),
        (ModelTerms("a/b", "other", "qwen-research"), ["qwen-research"]),
        (ModelTerms("a/b", "apache-2.0", base_models=("Qwen/Qwen2.5-7B",)), []),
        (ModelTerms("a/b", "bigscience-bloom-rail-1.0"), ["openrail"]),
        (ModelTerms("a/b", "creativeml-openrail-m"), ["openrail"]),
        (ModelTerms("a/b", "cc-by-nc-4.0"), ["non-commercial"]),
        (ModelTerms("a/trailer-nce", "mit"), []),
    ],
)
def test_a_clause_is_found_by_licence_name_and_base(terms: ModelTerms, clauses: list[str]) -> None:
    assert [clause.name for clause in clauses_of(terms)] == clauses


def test_terms_are_read_from_the_card_at_the_pin(tmp_path: Path) -> None:
    front = {"license": "other", "license_name": "llama3", "license_link": "LICENSE", "base_model": ["me/a", "me/b"]}
    with connect(f"local:{tmp_path}", main=False) as hub:
        files = {"full": {"README.md": f"---\n{yaml.safe_dump(front)}---\n# x\n".encode()}, "bare": {"a.txt": b"a"}}
        pins = {
            name: hub.publish("model", f"me/{name}", dict(held), tag=None, message="x", private=False)
            for name, held in files.items()
        }
        full, bare = (read_terms(hub, pin) for pin in pins.values())
    assert full == ModelTerms("me/full", "other", "llama3", "LICENSE", ("me/a", "me/b")) and full.stated == "llama3"
    assert bare == ModelTerms("me/bare") and bare.stated == ""


def test_a_round_pins_licences_and_cards_show_them(sealed: SealedRun) -> None:
    facts = sealed.build.lineage.facts[FACT]
    assert {role: (one["stated"], one["decides"]) for role, one in facts.items()} == {
        "policy": ("cc0-1.0", True),
        "proposer": ("apache-2.0", True),
        "judge-1": ("apache-2.0", True),
        "judge-2": ("apache-2.0", True),
    }
    assert sealed.train.lineage.facts[FACT] == facts
    for made, card in ((sealed.build.lineage, cards.dataset_card), (sealed.train.lineage, cards.adapter_card)):
        text = card("me/x", {"round-1": made})
        assert "| round-1 | judge-2 | clincot/phantom-judge-b | apache-2.0 |" in text


def under(made: Lineage, role: str, **changes: object) -> Lineage:
    """Return the lineage with other terms for a role."""
    models = made.facts[FACT]
    return replace(made, facts={**made.facts, "licence": "cc0-1.0", FACT: models | {role: models[role] | changes}})


def test_a_public_push_needs_the_acknowledgement_which_the_lineage_and_card_keep(
    sealed: SealedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clincot.runs.redistribution.licences.check_push", lambda *_: None)  # its data are sealed
    made = under(sealed.build.lineage, "judge-1", repo="a/med42", clauses=["llama3"], stated="llama3")
    public = replace(sealed.run, private=False)
    check_release(sealed.run, made)
    with pytest.raises(DataError, match=r"a/med42 is under licence llama3.*--acknowledge-licence llama3"):
        check_release(public, made)
    with pytest.raises(DataError, match="licence llama3"):
        check_release(replace(public, acknowledged=("gemma",)), made)
    known = replace(public, acknowledged=("llama3", "gemma"))
    check_release(known, made)
    pushed = model_licences.with_acknowledged(known, made)
    assert pushed.facts[ACKNOWLEDGED] == ["llama3"]
    check_release(public, pushed)  # who trains on it need not say it again
    assert "Acknowledged for round-1: llama3." in cards.dataset_card("me/x", {"round-1": pushed})
    check_release(public, under(made, "judge-1", clauses=["non-commercial"]))
    check_release(public, under(made, "judge-1", decides=False))


def test_a_recipe_is_checked_before_the_work_by_names_where_a_model_is_absent(sealed: SealedRun) -> None:
    models = sealed.run.recipe.models
    judges = (models.judges[0], ModelSource("m42-health/Llama3-Med42-8B", kind="causal_lm"))
    run = replace(sealed.run, recipe=replace(sealed.run.recipe, models=replace(models, judges=judges)))
    model_licences.check_models(run)
    with pytest.raises(DataError, match="m42-health/Llama3-Med42-8B is under licence llama3"):
        model_licences.check_models(replace(run, private=False))
    model_licences.check_models(replace(run, private=False, acknowledged=("llama3",)))


def test_a_warning_names_clause_and_roles_once(sealed: SealedRun, capsys: pytest.CaptureFixture[str]) -> None:
    made = under(sealed.build.lineage, "judge-1", repo="a/once-med42", clauses=["llama3"])
    for _ in range(2):
        model_licences.warn_of_clauses(made.facts)
    said = capsys.readouterr().err
    assert said.count("licence llama3 of models.judges[0] a/once-med42") == 1 and "The policy is one" not in said
    model_licences.warn_of_clauses(under(made, "policy", clauses=["llama3"]).facts)
    assert "The policy is one of these models" in capsys.readouterr().err


def test_an_unknown_licence_is_named_with_the_nearest_and_the_permissive_setting_has_none() -> None:
    with pytest.raises(DataError, match="Did you mean 'llama3'"):
        check_known(("llama-3",))
    names = [source.repo for source in load_recipe("clincot", "permissive").models.judges]
    assert len(names) == 2 and not any(clauses_of(ModelTerms(name)) for name in names)
