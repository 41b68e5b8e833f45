"""Weights that are cut, missing or of another base: refused before a model loads, by each that reads them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText

from clincot import judges
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.stages.train import skeleton
from clincot.stages.train.dpo import TrainJob, train_adapter
from clincot.stages.train.export import export_merged
from clincot.stages.train.policy import open_processor
from tests.objectives.rows import make_row, write_rows
from tests.stages.train.test_train import make_recipe
from tests.tiny import tiny_judge, tiny_policy

ADAPTER = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_policy(tmp_path_factory.mktemp("base") / "policy")


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapter")
    model = AutoModelForImageTextToText.from_pretrained(base)
    lora = LoraConfig(r=4, lora_alpha=8, target_modules=r".*language_model.*(q_proj|down_proj)")
    get_peft_model(model, lora).save_pretrained(folder)
    return folder


@pytest.fixture
def sharded(base: Path, tmp_path: Path) -> Path:
    """The base in shards, as models of a real size are."""
    folder = shutil.copytree(base, tmp_path / "sharded")
    (folder / "model.safetensors").unlink()
    AutoModelForImageTextToText.from_pretrained(base).save_pretrained(folder, max_shard_size="200KB")
    return folder


def read_by_engine(base: Path, adapter: Path | None, tmp_path: Path) -> None:
    TransformersEngine.from_pretrained(base, adapter, batch_size=1)


def read_by_trainer(base: Path, adapter: Path | None, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.parquet", [make_row(0)])
    recipe = make_recipe(dpo={"max_steps": 1})
    train_adapter(TrainJob(recipe, 2, (rows,), base, str(base), adapter, tmp_path / "job", stored_reference=False))


def read_by_export(base: Path, adapter: Path | None, tmp_path: Path) -> None:
    assert adapter is not None
    export_merged(base, adapter, tmp_path / "merged")


READERS = [read_by_engine, read_by_trainer, read_by_export]
Reader = Callable[[Path, Path | None, Path], None]


@pytest.mark.parametrize("read", READERS)
def test_a_missing_shard_and_a_cut_file_are_named(read: Reader, sharded: Path, adapter: Path, tmp_path: Path) -> None:
    shards = sorted(sharded.glob("model-*.safetensors"))
    kept = shards[1].read_bytes()
    shards[1].write_bytes(kept[:-100])
    with pytest.raises(ModelError, match=rf"sharded: {shards[1].name} is cut, it has [\d,]+ bytes of [\d,]+. Download"):
        read(sharded, adapter, tmp_path)
    shards[1].write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ModelError, match=rf"{shards[1].name} is cut, it has no header in its 43 bytes"):
        read(sharded, adapter, tmp_path)
    shards[1].unlink()
    said = rf"policy .*sharded: half of a checkpoint, {shards[1].name} is missing \(1 of {len(shards)} files"
    with pytest.raises(ModelError, match=said):
        read(sharded, adapter, tmp_path)


def test_half_a_judge_is_refused_too(tmp_path: Path) -> None:
    folder = tiny_judge(tmp_path / "judge")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match="judge .*judge: model.safetensors is cut"):
        judges.load("causal_lm", folder, name="judge", key="key", scoring="expected", batch_size=1)


def changed(adapter: Path, folder: Path, old: str, new: str, shape: tuple[int, int] | None = None) -> Path:
    """A copy of the adapter in which weights of `old` are called `new`, and have another shape."""
    shutil.copytree(adapter, folder)
    weights = load_file(folder / ADAPTER)
    made = {name.replace(old, new): value for name, value in weights.items()}
    if shape is not None:
        made = {name: torch.zeros(shape) if new in name else value for name, value in made.items()}
    save_file(made, folder / ADAPTER)
    return folder


@pytest.mark.parametrize("read", READERS)
def test_an_adapter_of_another_base_is_refused(read: Reader, base: Path, adapter: Path, tmp_path: Path) -> None:
    deeper = changed(adapter, tmp_path / "deeper", "layers.1.", "layers.7.")
    said = r"adapter .*deeper: of another base than .*policy: it changes model.language_model.layers.7.* lacks. Name"
    with pytest.raises(ModelError, match=said):
        read(base, deeper, tmp_path)
    name = "layers.0.mlp.down_proj.lora_A"
    wider = changed(adapter, tmp_path / "wider", name, name, (4, 256))
    said = r"it changes model.language_model.layers.0.mlp.down_proj \(inputs\), of size 256, and the base's is 128"
    with pytest.raises(ModelError, match=said):
        read(base, wider, tmp_path)
    cut = changed(adapter, tmp_path / "cut", "layers.0.", "layers.0.")
    (cut / ADAPTER).write_bytes((cut / ADAPTER).read_bytes()[:-10])
    with pytest.raises(ModelError, match="adapter .*cut: adapter_model.safetensors is cut"):
        read(base, cut, tmp_path)


def test_what_is_refused_loads_no_weights(base: Path, adapter: Path, tmp_path: Path) -> None:
    bare = shutil.copytree(base, tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    deeper = changed(adapter, tmp_path / "deeper", "layers.1.", "layers.7.")
    with pytest.raises(ModelError, match=r"of another base than .*bare"):
        read_by_trainer(bare, deeper, tmp_path)


def test_a_base_without_chat_template_is_refused_by_training(base: Path, tmp_path: Path) -> None:
    bare = shutil.copytree(base, tmp_path / "bare")
    (bare / "chat_template.jinja").unlink()
    tokenizer = json.loads((bare / "tokenizer_config.json").read_text())
    tokenizer.pop("chat_template", None)
    (bare / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ModelError, match=r"bare: has no chat template.*Add chat_template.jinja"):
        open_processor(bare)


def test_float16_weights_in_bfloat16_are_said_and_recorded(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    half = shutil.copytree(base, tmp_path / "half")
    AutoModelForImageTextToText.from_pretrained(base, dtype=torch.float16).save_pretrained(half)
    rows = write_rows(tmp_path / "rows.parquet", [make_row(i) for i in range(2)])
    recipe = make_recipe(dtype="bfloat16", dpo={"max_steps": 1})
    job = TrainJob(recipe, 1, (rows,), half, str(half), None, tmp_path / "job", stored_reference=False)
    facts = train_adapter(job).facts
    assert "half: its float16 weights are trained in bfloat16, which keeps 8 of their 11" in capsys.readouterr().err
    assert facts["weights_dtype"] == "float16" and facts["first_gap"] == 0.0
    assert skeleton.rounding_facts(recipe, base) == {} == skeleton.rounding_facts(make_recipe(dtype="float32"), half)
