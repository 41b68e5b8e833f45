"""The commands of docs/tutorial.md, in order, on a run of two rounds about a few images in place of the demo's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command import clincot

from tests.docs.blocks import all_blocks, lines_to_run

PAGE = "docs/tutorial.md"
HERE = {"demo/demo": "demo/loop", "demo": "loop"}  # the run of the fixture is called so
RUN_BY = {PAGE, "docs/tutorial-vqa-rad.md", "docs/own-data.md"}  # test_real_radiographs.py, test_own_data.py


def test_every_block_that_is_marked_has_a_test_that_runs_it() -> None:
    assert {block.where.partition(":")[0] for block in all_blocks() if block.runs} == RUN_BY


@pytest.mark.long
def test_the_tutorial_runs_in_its_order(finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path) -> None:
    demo, *others = lines_to_run(PAGE)
    assert demo == ("demo",)  # what it does is `run --push`, which the fixture has done
    shutil.copytree(finished_run[0] / "runs", tmp_path / "runs", symlinks=True)
    (tmp_path / "clincot-hub").symlink_to(small_hub)
    said = {}
    for words in others:
        out, err = clincot(*(HERE.get(word, word) for word in words), cwd=tmp_path)
        said[words[0]] = out + err
    assert (tmp_path / "view-1/index.html").is_file() and (tmp_path / "asked.png").is_file()
    assert "answer:" in said["ask"] and "round-1-v2" in said["train"]
    assert (tmp_path / "merged/config.json").is_file() and (tmp_path / "mine.yaml").is_file()
