"""Models in 8 and 4 bits by bitsandbytes, on a CPU: what is quantised, and that policy and judge work as such."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.judges.base import JudgeRequest
from clincot.judges.causal_lm import CausalLMJudge
from clincot.lm import placing
from clincot.lm.requests import GenerateRequest
from clincot.recipe import Load
from tests.tiny import tiny_judge, tiny_policy

KINDS = {"nf4": "Linear4bit", "int8": "Linear8bitLt"}


def quantised(model: Any) -> dict[str, str]:
    return {name: type(m).__name__ for name, m in model.named_modules() if type(m).__name__ in KINDS.values()}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_policy(tmp_path_factory.mktemp("policy") / "p")


@pytest.mark.parametrize("kind", KINDS)
def test_the_language_model_of_a_policy_is_quantised_and_nothing_else(policy: Path, kind: str) -> None:
    plain = TransformersEngine.from_pretrained(policy, batch_size=4)
    engine = TransformersEngine.from_pretrained(policy, batch_size=4, load=Load(quantization=kind))  # type: ignore[arg-type]
    found = quantised(engine.policy.model)
    assert set(found.values()) == {KINDS[kind]}
    assert len(found) == 2 * 7 and all(name.startswith("model.language_model.layers.") for name in found)
    message = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Yes No"}]}
    asked = GenerateRequest(
        (message,), (Image.new("RGB", (32, 32), (9, 99, 200)),), seed=1, temperature=0.0, top_p=1.0, max_new_tokens=1
    )
    near, far = engine.generate([asked])[0].logp, plain.generate([asked])[0].logp
    assert near != far and abs(near - far) < 0.2
    assert engine.policy.model.to("cpu") is engine.policy.model  # what parks a model moves it


@pytest.mark.parametrize("kind", KINDS)
def test_a_quantised_judge_reads_close_to_itself(tmp_path: Path, kind: str) -> None:
    folder = tiny_judge(tmp_path / "j")
    asked = [JudgeRequest("Is there a nodule?", "Yes", (), text) for text in ("Yes", "No")]
    values = []
    for load in (Load(), Load(quantization=kind)):  # type: ignore[arg-type]
        judge = CausalLMJudge.from_pretrained(folder, name="a/b", key="k", batch_size=2, load=load)
        values.append([rating.mass for rating in judge.rate(asked)])
    assert quantised(judge.model)
    assert values[0] != values[1]
    assert values[1] == pytest.approx(values[0], rel=0.5)


def test_a_device_that_bitsandbytes_does_not_know_is_refused(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bitsandbytes

    monkeypatch.setattr(bitsandbytes, "supported_torch_devices", {"cuda", "npu"})
    with pytest.raises(
        ModelError, match=r"load\.quantization: nf4 runs on cuda, npu with .*, and the model goes to cpu"
    ):
        placing.load_options(policy, Load(quantization="nf4"), "policy a/b: load")
