"""Tiny random models of several classes: two images at load, and texts after one and two images."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.lm.processors import read_processor
from tests.engines.conftest import requests
from tests.tiny import tiny_policy
from tests.vlms import PLAIN, WITH_TORCHVISION, tiny_vlm


@pytest.mark.parametrize("make", [*PLAIN, *WITH_TORCHVISION], ids=lambda make: make.__name__)
def test_a_class_takes_two_images_and_writes(make, tmp_path: Path) -> None:
    if make in WITH_TORCHVISION:
        pytest.importorskip("torchvision")
    engine = TransformersEngine.from_pretrained(tiny_vlm(make, tmp_path), batch_size=2)
    assert type(engine.policy.processor.image_processor).__name__.endswith("Pil")
    asked = [requests(0.0)[0], requests(0.0)[6]]
    assert sorted(len(request.images) for request in asked) == [1, 2]
    assert all(completion.tokens for completion in engine.generate(asked))


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="torchvision is there")
def test_a_processor_that_needs_torchvision_names_it(tmp_path: Path) -> None:
    tiny_policy(tmp_path)
    config = json.loads((tmp_path / "processor_config.json").read_text())
    config |= {
        "processor_class": "Qwen2VLProcessor",
        "video_processor": {"video_processor_type": "Qwen2VLVideoProcessor"},
    }
    config["image_processor"]["image_processor_type"] = "Qwen2VLImageProcessor"
    (tmp_path / "processor_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="its processor needs the package torchvision. Run `pip install torchvision`"):
        read_processor(tmp_path)
