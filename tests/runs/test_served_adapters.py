"""A run's adapter on servers: a name and a folder for each content, the path that a container sees, whole layers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sealed_run import SealedRun

from clincot.errors import ModelError
from clincot.recipe import ModelSource
from clincot.runs.models.adapters import Adapter, find
from clincot.runs.models.served_adapters import CONFIG, served_adapter, served_facts, served_name
from clincot.runs.run import Run


@pytest.fixture
def adapter(sealed: SealedRun) -> Adapter:
    found = find(sealed.run, 1)
    assert found
    return found


@pytest.fixture
def run(sealed: SealedRun, tmp_path: Path) -> Run:
    """The run with its policy on a server, in a folder for what is given to it."""
    policy = ModelSource("clincot/phantom-policy", kind="openai", endpoint=("http://127.0.0.1:1/v1",))
    models = replace(sealed.run.recipe.models, policy=policy)
    return replace(sealed.run, folder=tmp_path / "shut", recipe=replace(sealed.run.recipe, models=models))


def with_config(adapter: Adapter, folder: Path, **changes: object) -> Adapter:
    """Return the adapter with another config, in `folder`."""
    folder.mkdir()
    config = json.loads((adapter.folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | changes))
    (folder / "adapter_model.safetensors").write_bytes((adapter.folder / "adapter_model.safetensors").read_bytes())
    return replace(adapter, folder=folder)


def test_a_name_is_of_run_round_and_content(run: Run, adapter: Adapter, tmp_path: Path) -> None:
    name = served_name(run, adapter)
    assert name.startswith("shut-round-1-") and len(name) == len("shut-round-1-") + 8
    assert served_name(run, with_config(adapter, tmp_path / "same")) == name  # wherever it lies
    others = [
        served_name(run, replace(adapter, sha256="0" * 64)),
        served_name(run, with_config(adapter, tmp_path / "other", lora_alpha=1)),  # the same weights, scaled otherwise
        served_name(run, replace(adapter, pin=replace(adapter.pin, revision="round-1-v2"))),
        served_name(replace(run, name="open"), adapter),
    ]
    assert len({name, *others}) == 5
    assert served_facts(run, [None, adapter]) == {"served_as": {"round-1": name}}


def test_a_server_is_given_real_files_at_the_path_where_it_sees_them(run: Run, adapter: Adapter) -> None:
    given = served_adapter(run, adapter)
    folder = run.folder / "served" / given.name
    assert given.folder == str(folder.resolve()) and given.rank == json.loads((folder / CONFIG).read_text())["r"]
    assert sorted(path.name for path in folder.iterdir()) == [CONFIG, "adapter_model.safetensors"]
    assert not any(path.is_symlink() for path in folder.iterdir())
    assert (folder / CONFIG).read_bytes() == (adapter.folder / CONFIG).read_bytes()
    policy = replace(run.recipe.models.policy, adapter_root="/runs")
    inside = replace(run, recipe=replace(run.recipe, models=replace(run.recipe.models, policy=policy)))
    assert served_adapter(inside, adapter).folder == f"/runs/shut/served/{given.name}"


def test_an_adapter_with_a_trained_projector_is_refused(run: Run, adapter: Adapter, tmp_path: Path) -> None:
    whole = with_config(adapter, tmp_path / "whole", modules_to_save=["multi_modal_projector"])
    with pytest.raises(ModelError, match=r"holds whole layers \(multi_modal_projector\).*models.policy.kind=transform"):
        served_adapter(run, whole)
    assert not (run.folder / "served").exists()


def test_an_adapter_of_a_policy_in_process_has_no_name_on_servers(sealed: SealedRun, adapter: Adapter) -> None:
    assert served_facts(sealed.run, [adapter]) == {}
    assert "served_as" not in sealed.build.lineage.facts | sealed.results.lineage.facts
