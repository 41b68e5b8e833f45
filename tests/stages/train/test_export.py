"""A merged export: the layout of any model folder, the logits of base + adapter, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText, AutoProcessor, GenerationConfig, LlavaForConditionalGeneration

from clincot.convert.served import name_for_servers
from clincot.errors import ClincotError, ModelError
from clincot.lm.processors import read_processor, repairs_of
from clincot.recipe import ImageFit
from clincot.stages.train.export import _logits, export_merged
from clincot.stages.train.policy import open_processor, save_adapter
from tests.tiny import tiny_policy


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_policy(tmp_path_factory.mktemp("policy") / "base")
    GenerationConfig(max_new_tokens=7, eos_token_id=2).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter that changes the logits a good deal."""
    torch.manual_seed(1)
    lora = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", exclude_modules=r".*(vision|projector).*")
    model = get_peft_model(AutoModelForImageTextToText.from_pretrained(base), lora)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(0, 0.1)
    return save_adapter(model, "clincot/tiny", tmp_path_factory.mktemp("lora") / "adapter")


@pytest.fixture(scope="module")
def exported(base: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory):
    return export_merged(base, adapter, tmp_path_factory.mktemp("out") / "merged")


def weights(folder: Path) -> set[str]:
    with safe_open(folder / "model.safetensors", "pt") as held:
        return set(held.keys())


def test_the_folder_has_the_layout_of_its_base_and_no_trace_of_lora(base: Path, exported) -> None:
    folder = exported.folder
    assert {path.name for path in base.iterdir()} <= {path.name for path in folder.iterdir()}
    known = {name.replace("vision_tower.", "vision_tower.vision_model.") for name in weights(base)}
    assert weights(folder) == known != weights(base)  # the names that every reader of LLaVA knows
    _, info = AutoModelForImageTextToText.from_pretrained(folder, output_loading_info=True)
    assert not any(info.values())
    for name in ("tokenizer.json", "processor_config.json", "chat_template.jinja"):
        assert (folder / name).read_bytes() == (base / name).read_bytes()
    model = AutoModelForImageTextToText.from_pretrained(folder)
    assert type(model) is LlavaForConditionalGeneration and model.generation_config.max_new_tokens == 7
    assert AutoProcessor.from_pretrained(folder).chat_template == AutoProcessor.from_pretrained(base).chat_template


def test_an_adapter_of_the_base_under_its_older_names_is_one_of_the_renamed_base(
    base: Path, adapter: Path, exported, tmp_path: Path
) -> None:
    renamed = shutil.copytree(base, tmp_path / "base")
    assert name_for_servers(renamed)
    merged = export_merged(renamed, adapter, tmp_path / "merged").folder
    assert (merged / "model.safetensors").read_bytes() == (exported.folder / "model.safetensors").read_bytes()


def test_images_are_fitted_as_in_training(base: Path, adapter: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(base, tmp_path / "base")
    path = folder / "processor_config.json"
    content = json.loads(path.read_text())
    content["image_processor"] |= {"do_pad": False, "image_processor_type": "CLIPImageProcessor"}
    path.write_text(json.dumps(content))
    export_merged(folder, adapter, tmp_path / "merged", image_fit="pad")
    image = Image.linear_gradient("L").resize((60, 40)).convert("RGB")
    merged, own, wanted = (
        processor.image_processor(image, return_tensors="np")["pixel_values"]
        for processor in (read_processor(tmp_path / "merged"), read_processor(folder), read_processor(folder, "pad"))
    )
    assert (merged == wanted).all() and (own != wanted).any()
    nested = content.pop("image_processor")  # as older repositories have it
    path.write_text(json.dumps(content))
    (folder / "preprocessor_config.json").write_text(json.dumps(nested))
    export_merged(folder, adapter, tmp_path / "older", image_fit="pad")
    again = read_processor(tmp_path / "older").image_processor(image, return_tensors="np")["pixel_values"]
    assert (again == wanted).all()


def test_a_repaired_prompt_is_that_of_the_merged_model(base: Path, adapter: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(base, tmp_path / "llava-1.5-tiny")
    (folder / "chat_template.jinja").unlink()
    path = folder / "processor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"patch_size": None}))
    assert repairs_of(folder) == ("numbers", "template of llava-1.5")
    export_merged(folder, adapter, tmp_path / "merged")
    assert repairs_of(tmp_path / "merged") == ()
    one, other = AutoProcessor.from_pretrained(tmp_path / "merged"), read_processor(folder)
    assert one.chat_template == other.chat_template and one.patch_size == 8


def test_its_logits_are_those_of_base_and_adapter(base: Path, adapter: Path, exported) -> None:
    from peft import PeftModel

    plain = AutoModelForImageTextToText.from_pretrained(base, dtype=torch.float32)
    untouched = _logits(plain, *open_processor(base)[:2])
    expected = _logits(PeftModel.from_pretrained(plain, adapter), *open_processor(base)[:2])
    found = _logits(AutoModelForImageTextToText.from_pretrained(exported.folder), *open_processor(exported.folder)[:2])
    assert (expected - untouched).abs().max() > 0.05 * expected.abs().max()
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert exported.dtype == "float32" and exported.difference < 1e-5 < exported.allowed


def test_half_precision_is_within_its_own_tolerance(base: Path, adapter: Path, tmp_path: Path) -> None:
    made = export_merged(base, adapter, tmp_path / "half", "bfloat16")
    assert 1e-5 < made.difference < made.allowed == 5e-2
    assert all(w.dtype == torch.bfloat16 for w in load_file(made.folder / "model.safetensors").values())


def test_a_folder_that_holds_something_is_refused_and_kept(base: Path, adapter: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(ClincotError, match="exists and is not empty"):
        export_merged(base, adapter, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(ClincotError, match="--dtype int8: is not one of bfloat16, float16, float32"):
        export_merged(base, adapter, tmp_path / "new", "int8")


def test_a_model_that_came_out_otherwise_is_not_left_behind(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clincot.stages.train import export

    write = export._write

    def spoiled(one: Path, two: Path, folder: Path, dtype: torch.dtype, fit: ImageFit) -> torch.Tensor:
        expected = write(one, two, folder, dtype, fit)
        held = load_file(folder / "model.safetensors")
        held[next(name for name in sorted(held) if "q_proj" in name and "vision" not in name)] *= 3
        save_file(held, folder / "model.safetensors", metadata={"format": "pt"})
        return expected

    monkeypatch.setattr(export, "_write", spoiled)
    with pytest.raises(ModelError, match="the merged model's logits differ from base \\+ adapter by"):
        export_merged(base, adapter, tmp_path / "bad")
    assert list(tmp_path.iterdir()) == []
