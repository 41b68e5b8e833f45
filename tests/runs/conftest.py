"""A run of one round on a benchmark that may not be passed on, in the store and pushed to an embedded Hub."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from sealed_run import SealedRun, sealed_recipe

from clincot import benchmarks
from clincot.hub import connect
from clincot.phantom.dataset import phantom_files
from clincot.runs.evaluation.evaluate import evaluate_rounds
from clincot.runs.prepare import prepare
from clincot.runs.preview import preview
from clincot.runs.releases import pushing
from clincot.runs.rounds.build import build_round
from clincot.runs.rounds.train import train_round
from clincot.runs.run import Run, open_run


@pytest.fixture
def sealed(finished_sealed: SealedRun, monkeypatch: pytest.MonkeyPatch) -> SealedRun:
    """The finished run; its benchmark stands in the table for as long as one test."""
    monkeypatch.setitem(benchmarks.BENCHMARKS, "sealed", "sealed:Sealed")
    return finished_sealed


@pytest.fixture(scope="session")
def finished_sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SealedRun]:
    folder = tmp_path_factory.mktemp("sealed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(benchmarks.BENCHMARKS, "sealed", "sealed:Sealed")
        with connect(f"local:{folder / 'hub'}", main=False) as hub:
            files = phantom_files(folder / "drawn", seed=3, train=3, validation=1, test=2)
            hub.publish("dataset", "someone/sealed", files, tag=None, message="One's own copy", private=True)
        run = open_run(sealed_recipe(), name="shut", hub=f"local:{folder / 'hub'}", folder=folder / "runs")
        said: list[str] = []
        prepare(run, said.append)
        build = build_round(run, 1)
        preview(run, build, said.append)
        train = train_round(run, 1)
        preview(run, train, said.append)
        build, train = (pushing.push(run, release, said.append) for release in (build, train))
        results = pushing.push(run, evaluate_rounds(run, 1).release, said.append)
    shutil.copytree(run.folder, folder / "untouched" / "run")
    shutil.copytree(folder / "hub", folder / "untouched" / "hub")
    yield SealedRun(run, build, train, results, said, folder / "hub")
    run.store.close()
    run.target.close()


@pytest.fixture
def copied(sealed: SealedRun, tmp_path: Path) -> Iterator[Run]:
    """The finished run in a folder of its own, as it was before other tests added versions to it."""
    untouched = sealed.hub.parent / "untouched"
    shutil.copytree(untouched / "run", tmp_path / "runs" / "shut")
    shutil.copytree(untouched / "hub", tmp_path / "hub")
    hub = f"local:{tmp_path / 'hub'}"
    run = open_run(sealed_recipe(), name="shut", hub=hub, namespace=sealed.run.namespace, folder=tmp_path / "runs")
    yield run
    run.store.close()
    run.target.close()
