"""Tensor names that servers read: which models get them, in one file and in several, and who reads the result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForImageTextToText

from clincot.convert.served import name_for_servers
from clincot.convert.stored import stored
from clincot.errors import ModelError
from tests.vlms import Make, aya_vision, gemma3, idefics3, llava_clip_llama, llava_siglip_qwen2, paligemma
from tests.vlms.parts import opened

TOWER = "vision_tower.vision_model."


def fresh(make: Make, folder: Path, **saving: str) -> dict[str, torch.Tensor]:
    """Save a model that was never read from a disk; return its weights."""
    torch.manual_seed(0)
    model = opened(make()[0])
    model.save_pretrained(folder, **saving)
    return dict(model.state_dict())


def equal_to(weights: dict[str, torch.Tensor], folder: Path) -> bool:
    """Whether transformers reads `weights` from `folder`, and nothing is missing or left over."""
    model, info = AutoModelForImageTextToText.from_pretrained(folder, output_loading_info=True)
    read = model.state_dict()
    return not any(info.values()) and {*read} == {*weights} and all(torch.equal(read[k], weights[k]) for k in weights)


@pytest.mark.parametrize("make", [llava_clip_llama, llava_siglip_qwen2, gemma3, paligemma, aya_vision])
def test_a_clip_or_siglip_tower_gets_the_names_that_servers_read(make: Make, tmp_path: Path) -> None:
    weights = fresh(make, tmp_path)
    before = stored(tmp_path)
    tower = {name for name in before if "vision_tower." in name}
    assert name_for_servers(tmp_path) == len(tower) > 0
    assert {name.replace(TOWER, "vision_tower.") for name in stored(tmp_path)} == {*before}
    assert all(TOWER in name for name in stored(tmp_path) if "vision_tower." in name)
    assert equal_to(weights, tmp_path)
    file = (tmp_path / "model.safetensors").read_bytes()
    assert name_for_servers(tmp_path) == 0 and (tmp_path / "model.safetensors").read_bytes() == file


def test_weights_in_several_files_are_renamed_with_their_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = fresh(llava_clip_llama, tmp_path, max_shard_size="60KB")
    first = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    monkeypatch.setattr("clincot.convert.shards.loads.__defaults__", (100_000,))
    name_for_servers(tmp_path)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())["weight_map"]
    files = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    assert 1 < len(files) != len(first) > 1 and sorted({*index.values()}) == files
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == set()
    assert equal_to(weights, tmp_path)


def test_other_towers_keep_their_names(tmp_path: Path) -> None:
    fresh(idefics3, tmp_path)
    before = (tmp_path / "model.safetensors").read_bytes()
    assert name_for_servers(tmp_path) == 0 and (tmp_path / "model.safetensors").read_bytes() == before


def test_a_pixtral_tower_keeps_its_names_though_it_lies_where_a_clip_would(tmp_path: Path) -> None:
    fresh(llava_clip_llama, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["vision_config"]["model_type"] = "pixtral"
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert name_for_servers(tmp_path) == 0


def test_a_file_that_is_cut_off_is_named_and_kept(tmp_path: Path) -> None:
    fresh(llava_clip_llama, tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    size = path.stat().st_size
    with pytest.raises(ModelError, match="may be cut off"):
        name_for_servers(tmp_path)
    assert path.stat().st_size == size
