"""Training that must not start or go on, on the command line: one message, exit code 2, and what stands stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command import SMALL, clincot


@pytest.fixture(scope="module")
def copied(finished_run: tuple[Path, str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished run `loop`, which others still read."""
    return Path(shutil.copytree(finished_run[0], tmp_path_factory.mktemp("copied") / "run"))


def refused(copied: Path, hub: Path, *words: str) -> str:
    _, err = clincot("train", "--name", "loop", "--hub", f"local:{hub}", *SMALL, *words, cwd=copied, code=2)
    assert "Traceback" not in err, err
    return err


@pytest.mark.long  # the stage itself is tested in tests.stages.train.test_train.py and tests/objectives/test_saves.py
def test_a_base_that_reads_no_images_is_named_by_its_repository(copied: Path, small_hub: Path) -> None:
    err = refused(copied, small_hub, "--new-version", "--set", "models.policy.repo=clincot/phantom-judge-a")
    assert "clincot/phantom-judge-a@" in err and "is a llama, not a vision-language model" in err


@pytest.mark.long  # the stage itself is tested in tests.stages.train.test_train.py and tests/objectives/test_saves.py
def test_an_adapter_rank_unlike_the_recipe_is_refused(copied: Path, small_hub: Path) -> None:
    err = refused(copied, small_hub, "--round", "2", "--new-version", "--set", "train.lora.r=8")
    assert "has r 16, the recipe asks for 8. Set train.lora.r=16" in err


@pytest.mark.long  # the stage itself is tested in tests.stages.train.test_train.py and tests/objectives/test_saves.py
def test_a_loss_that_is_no_number_names_its_rows_and_leaves_no_version(copied: Path, small_hub: Path) -> None:
    words = ("--set", "train.dpo.learning_rate=1e30", "--set", "train.dpo.num_train_epochs=6")
    err = refused(copied, small_hub, "--new-version", *words)
    assert "no number" in err or "the loss is nan on rows phantom-" in err
    out, _ = clincot("hub", "ls", f"{copied}/runs/loop/store", cwd=copied)
    assert "round-1-v2" not in out


@pytest.mark.long
def test_pairs_that_another_policy_wrote_are_refused(copied: Path, small_hub: Path) -> None:
    other = ("--new-version", "--set", "train.dpo.learning_rate=1e-3")
    clincot("train", "--name", "loop", "--hub", f"local:{small_hub}", *SMALL, *other, cwd=copied)
    err = refused(copied, small_hub, "--round", "2")
    assert "was sampled from the adapter" in err and "this round starts from the adapter" in err
    assert "Build the round again with --new-version" in err
