"""A tiny random LLaVA on disk and its processor, once for all tests of the objectives."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoProcessor

from tests.tiny import tiny_policy


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Path:
    torch.set_num_threads(1)
    return tiny_policy(tmp_path_factory.mktemp("policy") / "base")


@pytest.fixture(scope="session")
def processor(base):
    return AutoProcessor.from_pretrained(base)
