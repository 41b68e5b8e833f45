"""When a command pushes, whom it asks before, and where a run without a namespace keeps its results."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import SMALL, clincot

from clincot.hub import connect
from clincot.localhub import LocalHub
from clincot.runs.releases import read_lineage
from clincot.runs.releases.content import own_pin

READER = "hf_reader_0123456789"
NOBODY = "--set=namespace="


@pytest.fixture(scope="module")
def served(small_hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """A Hub at a URL, as a remote one is seen: a copy of the small one, with a token that may only read."""
    folder = tmp_path_factory.mktemp("remote") / "hub"
    shutil.copytree(small_hub, folder)
    row = {"name": "reader", "role": "read", "namespaces": ["reader"]}
    (folder / "tokens.json").write_text(json.dumps({READER: row}))
    with connect(f"local:{folder}", main=False) as hub:
        from clincot.recipe import load_recipe
        from clincot.runs.prepare import prepare
        from clincot.runs.run import Run

        run = Run("any", load_recipe(), folder, hub, hub, "local")
        prepare(run, lambda _: None)
    with LocalHub(folder) as running, pytest.MonkeyPatch.context() as patch:
        for name in ("HF_TOKEN", "HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE"):  # as other tests may have left them
            patch.delenv(name, raising=False)
        yield running


@pytest.fixture(scope="module")
def built(served: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A round built without any token and without a namespace; the folder and what was said."""
    folder = tmp_path_factory.mktemp("built")
    _, err = clincot("build-data", "--name", "mine", "--hub", served.endpoint, NOBODY, *SMALL, cwd=folder)
    return folder, err


def test_a_build_needs_no_account_and_pushes_nothing(built: tuple[Path, str], served: LocalHub) -> None:
    _, err = built
    assert "dataset local/mine-preferences (round-1) made" in err and "push" not in err
    with connect(served.endpoint, main=False, token=served.token) as hub:
        assert not hub.exists("dataset", "clincot/mine-preferences")
        assert not hub.exists("dataset", "local/mine-preferences")


@pytest.mark.long
def test_the_next_line_names_the_run_alone_and_goes_on_with_its_options(built: tuple[Path, str]) -> None:
    folder, err = built
    following = re.search(r"^Next: (.*)$", err, re.MULTILINE)
    assert following is not None and following.group(1) == "clincot train --round 1 --name mine"
    _, err = clincot(*shlex.split(following.group(1))[1:], cwd=folder)
    assert "model local/mine (round-1) made" in err
    _, err = clincot("build-data", "--name", "mine", "--set", "method.min_gap=0.5", cwd=folder, code=2)
    assert "method.min_gap: 0.001 -> 0.5" in err and "max_images" not in err  # the other overrides are kept


def test_what_was_kept_is_not_used_for_another_recipe(built: tuple[Path, str], served: LocalHub) -> None:
    folder, _ = built
    copied = ("--name", "mine", "--recipe", "clincot-no-chain", "--hub", served.endpoint)
    _, err = clincot("build-data", *copied, NOBODY, cwd=folder, code=2)
    assert "build.max_images" in err  # the small numbers were not given with this recipe


def test_a_push_without_a_token_stops_before_the_work(built: tuple[Path, str], served: LocalHub) -> None:
    folder, _ = built
    words = ("--name", "unknown", "--hub", served.endpoint, NOBODY, *SMALL)
    _, err = clincot("build-data", "--push", *words, cwd=folder, code=2)
    assert "no namespace for unknown" in err and "HF_TOKEN" in err and "--namespace" in err
    assert not (folder / "runs/unknown/round-1").exists()


@pytest.mark.parametrize(
    "command", ["build-data", "run", *(pytest.param(name, marks=pytest.mark.long) for name in ("train", "evaluate"))]
)
def test_a_token_that_may_only_read_is_found_before_the_work(
    command: str, served: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", READER)
    _, err = clincot(command, "--push", "--hub", served.endpoint, NOBODY, "--name", "r", *SMALL, cwd=tmp_path, code=2)
    assert "the token of reader may only read" in err and READER not in err
    assert not (tmp_path / "runs/r/round-1").exists()


@pytest.mark.long
def test_a_later_push_goes_to_the_user_of_the_token_with_pins_that_resolve(
    built: tuple[Path, str], served: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(built[0], tmp_path / "copied")
    monkeypatch.setenv("HF_TOKEN", served.token)
    _, err = clincot("build-data", "--push", "--name", "mine", cwd=folder)
    assert "pushed as clincot/mine-preferences@" in err
    _, err = clincot("train", "--push", "--name", "mine", cwd=folder)
    assert "pushed as clincot/mine@" in err
    with connect(served.endpoint, main=False, token=served.token) as hub:
        adapter = hub.resolve("model", "clincot/mine", "round-1")
        made = read_lineage(hub, adapter, 1)
        pairs = hub.resolve("dataset", "clincot/mine-preferences", "round-1")
        assert made.own["preferences"] == own_pin(hub, pairs)
        card = hub.read(adapter, "README.md").decode()
    assert "clincot/mine-preferences" in card and "local/mine" not in card
    _, err = clincot("train", "--push", "--name", "mine", cwd=folder)
    assert f"pushed as clincot/mine@{adapter.sha[:12]}" in err  # a repeated push changes nothing
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    words = ("--name", "mine", "--hub", served.endpoint, NOBODY, *SMALL)
    _, err = clincot("train", *words, cwd=elsewhere)  # the rows come from the Hub, under the user's name
    assert "model local/mine (round-1) made" in err


@pytest.mark.long
def test_a_second_trainer_is_refused_with_host_and_process(finished_run: tuple[Path, str, str], tmp_path: Path) -> None:
    folder = shutil.copytree(finished_run[0], tmp_path / "copied")
    hold = (
        "import sys, pathlib; from clincot.runs.rounds.training_lock import training_lock\n"
        "with training_lock(pathlib.Path('runs/loop/round-2'), 'x'): print('held', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", hold],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert first.stdout is not None and first.stdout.readline() == "held\n"
        words = ("--round", "2", "--name", "loop", "--new-version", "--set", "train.dpo.learning_rate=1e-5")
        _, err = clincot("train", *words, cwd=folder, code=2)
        assert f"is being trained by process {first.pid} on " in err and "Traceback" not in err
    finally:
        first.kill()
        first.communicate()
    _, err = clincot("train", *words, cwd=folder)  # the lock dies with its process
    assert "model demo/loop (round-2-v2) made" in err
