"""`clincot recipe new | show`: a file in this folder, and what a run of it would have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from clincot.cli import app
from clincot.recipe import load_recipe


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(words: str) -> Result:
    done = CliRunner().invoke(app, words.split(), catch_exceptions=False)
    assert done.exit_code == 0
    return done


def test_a_file_that_begins_a_recipe_and_what_it_comes_to() -> None:
    done = run("recipe new mine --extends clincot")
    assert done.stdout == "" and "Next: clincot recipe show --recipe mine.yaml" in done.stderr
    shown = run("recipe show --recipe mine.yaml --set method.steps=3 --hub local:elsewhere").stdout
    tree = yaml.safe_load(shown)
    assert (tree["name"], tree["method"]["steps"], tree["hub"]) == ("mine", 3, "local:elsewhere")
    lines = dict(" ".join(line.split()).split(" # ") for line in shown.splitlines() if " # " in line[4:])
    origins = ("recipe mine", "--set", "--hub", "setting phantom", "default")
    keys = ("name: mine", "steps: 3", "hub: local:elsewhere", "namespace: demo", "split: test")
    assert tuple(lines[key] for key in keys) == origins
    assert "revision" not in tree["models"]["policy"]  # a default of a model


def test_json_has_every_value_with_the_path_of_its_file() -> None:
    found = {one["key"]: one for one in json.loads(run("recipe show --recipe clincot-no-chain --json").stdout)}
    assert found["method.steps"]["value"] == 1 and found["method.steps"]["from"] == "recipe clincot-no-chain (always)"
    assert found["models.policy.revision"] == {
        "key": "models.policy.revision",
        "value": "main",
        "from": "default",
        "file": "",
    }
    assert Path(found["rounds"]["file"]).name == "phantom.yaml"
    assert found["train.dpo.beta"]["value"] == load_recipe().train.dpo["beta"]
