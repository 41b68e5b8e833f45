"""The commands of docs/tutorial.md, in their order: `clincot demo` first, as a new user types it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import clincot, fresh

from tests.docs.blocks import all_blocks, lines_to_run

PAGE = "docs/tutorial.md"
RUN_BY = {PAGE, "docs/tutorial-vqa-rad.md", "docs/own-data.md"}  # test_real_radiographs.py, test_own_data.py


def test_every_block_that_is_marked_has_a_test_that_runs_it() -> None:
    assert {block.where.partition(":")[0] for block in all_blocks() if block.runs} == RUN_BY


@pytest.mark.long
def test_the_tutorial_runs_in_its_order(tmp_path: Path) -> None:
    demo, *others = lines_to_run(PAGE)
    assert demo == ("demo",)
    out, err = fresh(*demo, cwd=tmp_path, timeout=1200)
    assert "demo/demo-results  round-2" in out + err and "Traceback" not in err
    # Its findings follow the regions better than the base's.
    assert re.search(r"the adapter's +\S+ \[.*\] +\S+ +\+", out)
    assert max(map(len, out.splitlines())) <= 80
    said = {}
    for words in others:
        out, err = clincot(*words, cwd=tmp_path)
        said[words[0]] = out + err
    assert (tmp_path / "view-1/index.html").is_file() and (tmp_path / "asked.png").is_file()
    assert "answer:" in said["ask"] and "round-1-v2" in said["train"]
    assert (tmp_path / "merged/config.json").is_file() and (tmp_path / "mine.yaml").is_file()
