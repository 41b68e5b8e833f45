"""Which models a build and an evaluation load: pinned ones, those without a repository, and a served policy."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from sealed_run import SealedRun

from clincot import engines, judges, regions
from clincot.engines.lora import Lora, ServedAdapter
from clincot.errors import NotOnHub
from clincot.recipe import ModelSource, load_recipe
from clincot.records.lineage import OwnPin, Pin
from clincot.runs import roles
from clincot.runs.models import loading
from clincot.runs.models.adapters import Adapter
from clincot.runs.rounds import made as build
from clincot.runs.run import Run

Asked = list[tuple[tuple[Any, ...], dict[str, Any]]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Keep what engines are asked to load instead of loading it."""
    seen: Asked = []
    monkeypatch.setattr(engines, "load", lambda *args, **options: seen.append((args, options)))
    return seen


def changed(run: Run, **models: Any) -> Run:
    return dataclasses.replace(
        run, recipe=dataclasses.replace(run.recipe, models=dataclasses.replace(run.recipe.models, **models))
    )


def test_a_served_policy_is_found_by_name_and_its_adapter_by_run_and_round(
    sealed: SealedRun, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ModelSource("clincot/phantom-policy", kind="openai", endpoint=("http://127.0.0.1:1/v1",), at_once=9)
    run = changed(sealed.run, policy=source)
    base = Pin("model", source.repo, "main", "a" * 40)
    loading.load_policy(run, base, None, batch_size=4, threads=1)
    for tag in ("round-2", "round-2-v2"):  # a new version has other weights under the same round
        pin, own = Pin("model", run.adapter_repo, tag, "c" * 40), OwnPin("model", run.name, tag, "d" * 64)
        adapter = Adapter(2, pin, own, Path("never-read"), "b" * 64)
        name = ServedAdapter(f"shut-{tag}-aa", "/a", 4)
        monkeypatch.setattr(loading, "lora_of", lambda run, adapter, name=name: Lora(name, list))
        loading.load_policy(run, base, adapter, batch_size=4, threads=1)
    assert [args for args, _ in asked] == [
        ("openai", "clincot/phantom-policy", None),
        ("openai", "clincot/phantom-policy", "shut-round-2-aa"),
        ("openai", "clincot/phantom-policy", "shut-round-2-v2-aa"),
    ]
    how = {"endpoint": source.endpoint, "key_env": "CLINCOT_SERVER_KEY", "timeout": 600.0, "tries": 7}
    how |= {"setting": "models.policy.endpoint", "images": 2}
    given = [options.pop("lora") for _, options in asked]
    assert [one and one.adapter.name for one in given] == [None, "shut-round-2-aa", "shut-round-2-v2-aa"]
    assert all(options == how | {"batch_size": 9} for _, options in asked)


def test_log_probs_of_a_server_are_no_reference() -> None:
    base = Pin("model", "a/b", "main", "a" * 40)
    here, served = loading.reference_key(base, "base"), loading.reference_key(base, "base", "openai")
    assert here == loading.reference_key(base, "base", "transformers") != served
    assert loading.reference_key(base, "base", fit=("image_fit pad",)) != here


def test_the_fit_of_images_reaches_own_engines_only_where_it_is_asked_for(sealed: SealedRun, asked: Asked) -> None:
    pin = sealed.build.lineage.pins["policy"]
    padded = dataclasses.replace(sealed.run, recipe=dataclasses.replace(sealed.run.recipe, image_fit="pad"))
    for run in (sealed.run, padded):
        loading.load_policy(run, pin, None, batch_size=4, threads=1)
    assert [options.get("image_fit") for _, options in asked] == [None, "pad"]


def test_a_canvas_is_announced_as_one_image(sealed: SealedRun, asked: Asked) -> None:
    pin = sealed.build.lineage.pins["policy"]
    together = dataclasses.replace(sealed.run, recipe=dataclasses.replace(sealed.run.recipe, image_layout="canvas"))
    for run in (sealed.run, together):
        loading.load_policy(run, pin, None, batch_size=4, threads=1)
    assert [options["images"] for _, options in asked] == [2, 1]


def test_kinds_without_a_model_have_no_pin_and_a_key_of_kind_and_settings(sealed: SealedRun) -> None:
    run = changed(sealed.run, proposer=ModelSource(kind="grid"))
    pins = build.model_pins(run, {"proposer": run.recipe.models.proposer, "policy": run.recipe.models.policy})
    assert list(pins) == ["policy"]
    proposer = loading.load_proposer(run, run.recipe, None)
    other = changed(sealed.run, proposer=ModelSource(kind="center"))
    assert proposer.key == loading.proposer_key(run.recipe, None) != loading.proposer_key(other.recipe, None)
    assert type(proposer).__name__ == "Grid"


def test_an_absent_medklip_is_refused_with_the_commands_that_make_one(sealed: SealedRun) -> None:
    run = changed(sealed.run, proposer=ModelSource("clincot/medklip", kind="medklip"))
    with pytest.raises(NotOnHub) as refused:
        build.made_of(run, 1)
    said = str(refused.value)
    assert f"local:{sealed.hub}: has no model clincot/medklip" in said and "clincot convert medklip" in said
    assert f"clincot hub import medklip --as clincot/medklip --kind model --hub local:{sealed.hub}" in said
    other = changed(sealed.run, proposer=ModelSource("someone/clip", kind="clip_patches"))
    with pytest.raises(NotOnHub) as plain:
        build.made_of(other, 1)
    assert "someone/clip" in str(plain.value) and "convert" not in str(plain.value)


def test_the_inputs_of_a_round_tell_kinds_views_and_the_number_of_judges_apart(sealed: SealedRun) -> None:
    recipe = sealed.run.recipe
    judging = dataclasses.replace(recipe.build.judging, judges=1)
    others = [
        recipe,
        changed(sealed.run, proposer=ModelSource(kind="grid")).recipe,
        changed(sealed.run, proposer=ModelSource(kind="center")).recipe,
        dataclasses.replace(recipe, image_layout="canvas"),
        dataclasses.replace(recipe, image_fit="pad"),
        dataclasses.replace(recipe, build=dataclasses.replace(recipe.build, judging=judging)),
    ]
    assert len({build.inputs_of(one, {}, "base") for one in others}) == len(others)
    assert [len(roles.judge_sources(one)) for one in (recipe, others[-1])] == [2, 1]


def test_who_edits_the_file_of_a_class_builds_another_round(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class Mine:\n    model_free = True\n", encoding="utf-8")
    recipe = load_recipe(overrides=[f"models.proposer={{repo: '', kind: '{tmp_path}/mine.py:Mine'}}"])
    before = build.inputs_of(recipe, {}, "base"), loading.proposer_key(recipe, None)
    assert before == (build.inputs_of(recipe, {}, "base"), loading.proposer_key(recipe, None))
    (tmp_path / "mine.py").write_text("class Mine:\n    model_free = not False\n", encoding="utf-8")
    after = build.inputs_of(recipe, {}, "base"), loading.proposer_key(recipe, None)
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_the_tables_say_what_needs_no_model() -> None:
    assert set(regions.PROPOSERS) > regions.MODEL_FREE and set(judges.JUDGES) > judges.MODEL_FREE
