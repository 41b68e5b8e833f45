"""The Python API does what the commands do: `examples/round.py` makes a run that the commands go on with."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from command import clincot, script

ROOT = Path(__file__).parents[2]
FEW = next(
    ast.literal_eval(node.value)
    for node in ast.parse((ROOT / "examples/round.py").read_text()).body
    if isinstance(node, ast.Assign)
)


@pytest.fixture(scope="module")
def example(small_hub: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the example; return its folder and what it printed."""
    folder = tmp_path_factory.mktemp("example")
    words = [sys.executable, str(ROOT / "examples/round.py"), f"local:{small_hub}"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_the_example_builds_trains_and_evaluates_a_round(example: tuple[Path, str]) -> None:
    lines = example[1].splitlines()
    assert any(line.startswith("round-1: ") and " pairs, the first prefers " in line for line in lines)
    adapter = next(line.partition(": ")[2] for line in lines if line.startswith("round-1: /"))
    assert (Path(adapter) / "adapter_model.safetensors").is_file()
    scores = [line for line in lines if ": closed accuracy 0." in line]
    assert [line.partition(":")[0] for line in scores] == ["base", "round-1"]


def test_the_notebook_shows_the_round_of_the_example(example: tuple[Path, str], small_hub: Path) -> None:
    words = [sys.executable, str(ROOT / "examples/notebook.py"), f"local:{small_hub}"]
    done = subprocess.run(words, cwd=example[0], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert "count" in done.stdout and "<img src=" in (example[0] / "show.html").read_text()


def test_a_command_finds_nothing_left_to_do_in_the_examples_run(example: tuple[Path, str], small_hub: Path) -> None:
    words = ("--name", "example", "--hub", f"local:{small_hub}", *(f"--set={override}" for override in FEW))
    _, err = clincot("train", *words, cwd=example[0])
    assert "(round-1) exists already" in err


def test_finished_rounds_are_read_and_drawn_again_and_mistakes_are_errors(
    example: tuple[Path, str], small_hub: Path
) -> None:
    code = f"""
import clincot
few, where = {FEW!r}, dict(name="example", hub="local:{small_hub}")
run = clincot.open_run(clincot.load_recipe("clincot", "phantom", overrides=few), **where)
data = clincot.build(run, 1)
assert not data.release.fresh and data.load("candidates")["score"] and data.load("regions")["crop_id"]
for call in (lambda: data.load("pair"), lambda: clincot.build(run, 9), lambda: clincot.train(run, 0)):
    try: call()
    except clincot.ClincotError as error: print(error)
run = clincot.open_run(clincot.load_recipe("clincot", "phantom", overrides=[*few, "method.pairs_per_step=1"]), **where)
data = clincot.pair(run, 1)
groups = data.load("pairs")["group"]
frame = data.frame()
assert list(frame.group) == groups and "chosen" in frame and "images" not in frame and "side_images" not in frame
assert "<img" in clincot.show(data.load("pairs")[0])._repr_html_() and len(data.frame("candidates")) > len(frame)
print(data.release.tag, data.release.fresh, len(groups) == len(set(groups)) > 0, clincot.pair(run, 1).release.fresh)
"""
    lines = script(code, example[0], {}).splitlines()
    assert lines[0] == "part 'pair': is not known. Did you mean 'pairs'?"
    assert lines[1].startswith("--round 9: the recipe has 2 rounds") and lines[2].startswith("train.start: is 'base'")
    assert lines[3:] == ["round-1-v2 True True False"]
