"""A push: pins that resolve where they stand, the same content again as success, results on the adapter's card."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from PIL import Image
from sealed_run import SealedRun

from clincot.errors import TagExists
from clincot.hub import connect
from clincot.runs.preview import preview
from clincot.runs.releases import pushing, read_lineage
from clincot.runs.releases.content import locate, own_pin
from clincot.runs.releases.tags import name_of


def test_a_push_copies_the_stores_files_and_its_pins_hold_on_both_hubs(sealed: SealedRun) -> None:
    store, target, pushed = sealed.run.store, sealed.run.target, sealed.train.pushed
    assert pushed is not None and sealed.build.pushed is not None
    here, there = store.list_files(sealed.train.pin), target.list_files(pushed)
    kept = [path for path in here if path not in ("README.md", ".gitattributes")]
    assert {path: here[path] for path in kept} == {path: there[path] for path in kept}
    pin = read_lineage(target, pushed, 1).own["preferences"]
    assert pin == own_pin(store, sealed.build.pin) == own_pin(target, sealed.build.pushed)
    assert sealed.build.pin.sha != sealed.build.pushed.sha
    assert f"shut-preferences | round-1 | content `{pin.content}`" in target.read(pushed, "README.md").decode()


def test_the_same_push_again_changes_nothing(sealed: SealedRun) -> None:
    heads = {
        r.repo: sealed.run.target.resolve(r.kind, r.repo).sha for r in (sealed.build, sealed.train, sealed.results)
    }
    for release in (sealed.build, sealed.train, sealed.results):
        assert pushing.push(sealed.run, release, print).pushed == release.pushed
        assert sealed.run.target.resolve(release.kind, release.repo).sha == heads[release.repo]


def test_an_adapter_pushed_before_its_data_stays_equal_afterwards(sealed: SealedRun, tmp_path: Path) -> None:
    with connect(f"local:{tmp_path / 'hub'}", main=False) as hub:
        run = dataclasses.replace(sealed.run, target=hub)
        first = pushing.push(run, sealed.train, print).pushed
        assert first is not None
        pushing.push(run, sealed.build, print)
        assert pushing.push(run, sealed.train, print).pushed == first
        found = locate(dataclasses.replace(run, store=hub), sealed.train.lineage.own["preferences"])
        assert found is not None and found[1].revision == "round-1"


def test_a_target_that_holds_other_data_at_the_tag_is_never_named(sealed: SealedRun, tmp_path: Path) -> None:
    with connect(f"local:{tmp_path / 'hub'}", main=False) as hub:
        repo = sealed.run.preferences_repo
        hub.publish("dataset", repo, {"round-1/train-0.parquet": b"other"}, tag="round-1", message="x", private=True)
        run = dataclasses.replace(sealed.run, target=hub)
        with pytest.raises(TagExists, match="at .round-1. holds other content than this was made from"):
            pushing.push(run, sealed.train, print)
        with pytest.raises(TagExists, match="holds other content.*--name.*--new-version"):
            pushing.push(run, sealed.build, print)


def test_the_adapters_card_shows_curve_and_results_while_its_tag_stays(sealed: SealedRun) -> None:
    target, pushed = sealed.run.target, sealed.train.pushed
    assert pushed is not None and target.tags("model", pushed.repo)["round-1"] == pushed.sha
    head = target.resolve("model", pushed.repo)
    assert head.sha != pushed.sha
    assert "model-index" not in target.read(pushed, "README.md").decode()
    text = target.read(head, "README.md").decode()
    results = ModelCard(text).data.eval_results
    names = [result.metric_name for result in results]
    assert names and all("round-1" in name and ("clincot-v2" in name or "paper-v2" in name) for name in names)
    assert {result.dataset_type for result in results} == {"someone/sealed"}
    assert results[0].dataset_revision == sealed.results.lineage.pins["benchmark"].sha
    assert "](round-1/curve.png)" in text and "| question prior |" in text
    picture = Image.open(io.BytesIO(target.read(head, "round-1/curve.png")))
    assert picture.width > 800 and len(picture.getcolors(100_000) or ()) > 5
    assert {path for path in target.list_files(head) if not path.startswith("rounds/")} == {
        ".eval_results/sealed.yaml",
        ".gitattributes",
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "round-1/curve.png",
        "round-1/training.csv",
    }


def test_a_dry_run_writes_what_the_push_publishes_and_leaves_the_target_alone(
    sealed: SealedRun, tmp_path: Path
) -> None:
    with connect(f"local:{tmp_path / 'hub'}", main=False) as hub:
        run = dataclasses.replace(sealed.run, target=hub, folder=tmp_path / "run")
        said: list[str] = []
        folder = preview(run, sealed.build, said.append)
        assert not hub.exists("dataset", sealed.build.repo)
        pushed = pushing.push(run, sealed.build, print).pushed
        assert pushed is not None
        held = hub.list_files(pushed)
        written = {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*") if p.is_file()}
        assert written == {path: info.size for path, info in held.items() if path != ".gitattributes"}
        for path in written:
            assert (folder / path).read_bytes() == hub.read(pushed, path), path
    assert f"would push dataset {sealed.build.repo} (round-1) to {hub.label}, private:" in said[0]
    assert any(line.endswith("  round-1/train-00000-of-00001.parquet") for line in said)


def test_the_dry_run_of_an_adapter_names_what_the_target_lacks(sealed: SealedRun) -> None:
    assert any("not there yet: demo/shut-preferences, " in line for line in sealed.said)


@pytest.mark.parametrize(("tag", "name"), [("round-2", "round-2"), ("round-12-v3", "round-12"), ("sft-v2", "sft")])
def test_the_round_of_a_tag_is_read_from_it(tag: str, name: str) -> None:
    assert name_of(tag) == name
