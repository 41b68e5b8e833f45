"""Pickled weights become safetensors with equal values; what is no table of tensors is refused without running it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from clincot.convert import shards
from clincot.convert.weights import convert
from clincot.errors import DataError, ModelError
from tests.traps import Trap


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "sub" / "notes.txt").write_text("notes")
    (folder / "training_args.bin").write_bytes(b"code")
    return folder


def tensors() -> dict[str, torch.Tensor]:
    """Return tensors of which one is shared, one a part of another and one transposed."""
    table = torch.arange(24.0).reshape(6, 4)
    return {"embed": table, "head": table, "rows": table[2:4], "turned": table.t(), "half": table.bfloat16()}


@pytest.mark.parametrize("new_format", [True, False], ids=["zip", "older than torch 1.6"])
def test_values_are_equal_and_other_files_are_copied(source: Path, tmp_path: Path, new_format: bool) -> None:
    torch.save(tensors(), source / "pytorch_model.bin", _use_new_zipfile_serialization=new_format)
    done = convert(source, tmp_path / "out")
    held = load_file(tmp_path / "out" / "model.safetensors")
    assert held.keys() == tensors().keys()
    for name, value in tensors().items():
        assert torch.equal(held[name], value) and held[name].dtype == value.dtype
    assert (done.tensors, done.files, done.left) == (5, 1, ("training_args.bin",))
    assert done.bytes == sum(value.nbytes for value in held.values())
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*"))
    assert found == ["config.json", "model.safetensors", "sub", "sub/notes.txt"]


def test_several_files_become_several_with_an_index(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards.grouped, "__defaults__", (100,))
    parts = [{"a": torch.ones(20), "b": torch.zeros(4)}, {"c": torch.ones(3)}]
    places = {}
    for number, part in enumerate(parts, 1):
        name = f"pytorch_model-{number:05d}-of-00002.bin"
        torch.save(part, source / name)
        places |= dict.fromkeys(part, name)
    (source / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": places}))
    convert(source, tmp_path / "out")
    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())["weight_map"]
    assert index == {f: f"model-0000{n}-of-00002.safetensors" for f, n in (("a", 1), ("b", 1), ("c", 2))}
    (source / "pytorch_model-00002-of-00002.bin").unlink()
    with pytest.raises(ModelError, match="lacks 1 of its 2 files of weights"):
        convert(source, tmp_path / "again")


def test_an_adapter_keeps_its_name(source: Path, tmp_path: Path) -> None:
    torch.save({"lora_A": torch.ones(2)}, source / "adapter_model.bin")
    convert(source, tmp_path / "out")
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()


def _saved(content: object) -> Callable[[Path], None]:
    return lambda folder: torch.save(content, folder / "pytorch_model.bin")


def _cut(folder: Path) -> None:
    path = folder / "pytorch_model.bin"
    torch.save(tensors(), path)
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: None, "has no pytorch_model.bin or adapter_model.bin"),
        (
            lambda folder: torch.save({"a": Trap(folder / "ran")}, folder / "pytorch_model.bin"),
            "holds more than tensors",
        ),
        (_saved({"a": torch.ones(1), "epoch": 3}), "epoch is a int, no tensor"),
        (_saved([torch.ones(1)]), "holds a list, no table of tensors"),
        (_saved({"a": torch.eye(3).to_sparse()}), "a is sparse or quantised"),
        (_cut, "pytorch_model.bin: "),
        (lambda folder: (folder / "model.safetensors").touch(), "has safetensors already"),
    ],
    ids=["no weights", "code", "a number", "a list", "sparse", "cut off", "safetensors"],
)
def test_what_is_no_table_of_tensors_is_refused(
    change: Callable[[Path], None], says: str, source: Path, tmp_path: Path
) -> None:
    change(source)
    with pytest.raises(ModelError) as refused:
        convert(source, tmp_path / "out")
    assert says in str(refused.value)
    assert not (source / "ran").exists() and [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_folder_that_holds_something_is_left_alone(source: Path) -> None:
    torch.save(tensors(), source / "pytorch_model.bin")
    with pytest.raises(DataError, match="is not an empty folder"):
        convert(source, source)
