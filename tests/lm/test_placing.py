"""A model is loaded as its `load` says, in its dtype and attention; what the machine lacks is refused by name."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

from clincot.errors import ModelError
from clincot.lm import placing
from clincot.lm.loading import load_weights
from clincot.recipe import Load
from tests.tiny import tiny_judge, tiny_policy

CPU_ONLY = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_policy(tmp_path_factory.mktemp("policy") / "p")


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_judge(tmp_path_factory.mktemp("judge") / "j")


def quantised(source: Path, folder: Path, **values: object) -> Path:
    """A model's folder whose config says that its weights are quantised; none are there."""
    config = AutoConfig.from_pretrained(source)
    config.save_pretrained(folder)
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"quantization_config": values}))
    return folder


def test_dtype_and_attention_are_those_of_the_load(policy: Path, judge: Path) -> None:
    plain = load_weights(AutoModelForImageTextToText, policy, Load(), "policy")
    assert (plain.dtype, plain.config._attn_implementation, plain.training) == (torch.float32, "sdpa", False)
    other = load_weights(AutoModelForImageTextToText, policy, Load("bfloat16", "eager", "cpu"), "policy")
    assert (other.dtype, other.config._attn_implementation, other.device.type) == (torch.bfloat16, "eager", "cpu")
    assert {module.config._attn_implementation for module in other.modules() if hasattr(module, "config")} == {"eager"}
    assert load_weights(AutoModelForCausalLM, judge, Load(dtype="float16"), "judge").dtype == torch.float16


def test_a_spread_model_lies_on_what_is_there(judge: Path) -> None:
    model = load_weights(AutoModelForCausalLM, judge, Load(device_map="auto"), "judge")
    assert {p.device.type for p in model.parameters()} == {"cuda" if torch.cuda.is_available() else "cpu"}


@CPU_ONLY
def test_a_device_that_is_not_there_is_refused_before_weights_are_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"load\.device_map: 'cuda:1' is not on this machine \(1 cpu\)"):
        load_weights(AutoModelForCausalLM, tmp_path / "nothing", Load(device_map="cuda:1"), "judge")


@CPU_ONLY
def test_flash_attention_is_refused_by_name(judge: Path) -> None:
    with pytest.raises(ModelError, match=r"judge .*: load\.attention: flash_attention_2 needs a CUDA GPU"):
        load_weights(AutoModelForCausalLM, judge, Load(attention="flash_attention_2"), "judge")


@pytest.mark.skipif(find_spec("flash_attn") is not None, reason="flash-attn is installed")
def test_a_missing_flash_attention_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "device_of", lambda load: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ModelError, match="pip install flash-attn"):
        placing.refuse_unloadable(Load(attention="flash_attention_2"), "models.policy.load")


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="bitsandbytes is installed")
@pytest.mark.parametrize("kind", ["nf4", "int8"])
def test_a_missing_bitsandbytes_is_named_with_its_extra(judge: Path, kind: str) -> None:
    with pytest.raises(
        ModelError, match=rf'{kind} needs the package bitsandbytes.*pip install "clincot\[quantization\]"'
    ):
        load_weights(AutoModelForCausalLM, judge, Load(quantization=kind), "judge")


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="bitsandbytes is installed")
def test_quantised_weights_need_the_library_too(judge: Path, tmp_path: Path) -> None:
    folder = quantised(judge, tmp_path, quant_method="bitsandbytes", load_in_4bit=True)
    with pytest.raises(ModelError, match=r"quantised \(bitsandbytes 4 bit\) needs the package bitsandbytes"):
        load_weights(AutoModelForCausalLM, folder, Load(), "judge")


@pytest.mark.parametrize(("method", "library"), [("gptq", "optimum"), ("awq", "gptqmodel")])
def test_other_quantised_weights_are_refused_with_the_library_that_they_need(
    judge: Path, tmp_path: Path, method: str, library: str
) -> None:
    folder = quantised(judge, tmp_path, quant_method=method, bits=4, group_size=128)
    with pytest.raises(
        ModelError, match=rf"quantised \({method}\): .*{library}.*\. Install it, or name an unquantised model"
    ):
        load_weights(AutoModelForCausalLM, folder, Load(), "judge")


def test_quantised_weights_are_not_quantised_again(
    judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "_refuse_bitsandbytes", lambda *args: None)
    folder = quantised(judge, tmp_path, quant_method="gptq", bits=4)
    with pytest.raises(
        ModelError, match=r"load\.quantization: the weights are quantised already \(gptq\). Leave it out"
    ):
        load_weights(AutoModelForCausalLM, folder, Load(quantization="int8"), "judge")
