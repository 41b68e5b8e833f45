"""A tiny random LLaVA on disk and its processor, once for all tests of the objectives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoProcessor

from tests.objectives.launches import launch
from tests.objectives.rows import make_row, write_rows
from tests.tiny import tiny_policy


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Path:
    torch.set_num_threads(1)
    return tiny_policy(tmp_path_factory.mktemp("policy") / "base")


@pytest.fixture(scope="session")
def processor(base):
    return AutoProcessor.from_pretrained(base)


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = [make_row(i, weight=(1.0, 0.5, 1.5)[i % 3]) for i in range(8)]
    return write_rows(tmp_path_factory.mktemp("rows") / "part.parquet", made)


@pytest.fixture(scope="session")
def two(base: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    launch(2, base, rows, folder)
    return folder
