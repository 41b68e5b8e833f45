"""A small checkpoint in LLaVA-Med's own layout converts to a model with equal ids, pixels and logits, or is refused."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import llava_med_files as files
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn.functional import gelu, linear
from transformers import (
    AutoTokenizer,
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    CLIPVisionModel,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    MistralConfig,
    MistralForCausalLM,
)

from clincot.convert import shards
from clincot.convert.finding import Finding
from clincot.convert.llava_med import Converted, convert
from clincot.convert.stored import stored
from clincot.errors import ClincotError, DataError, DiskFull, ModelError

QUESTION = "Is there a nodule in the left lung?\nAnswer the question based on the image."


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llava-med") / "source"
    files.write(folder)
    return folder


@pytest.fixture(scope="module")
def done(source: Path) -> Converted:
    return convert(source, source.parent / "out", logits=True)


@pytest.fixture(scope="module")
def out(done: Converted, source: Path) -> Path:
    assert done.files == 1
    return source.parent / "out"


@pytest.fixture(scope="module")
def processor(out: Path) -> LlavaProcessor:
    return LlavaProcessor.from_pretrained(out, backend="pil")


def part(source: Path, prefix: str) -> dict[str, torch.Tensor]:
    tensors = {}
    for file in source.glob("*.safetensors"):
        tensors |= load_file(file)
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def chunks(source: Path, question: str) -> tuple[list[int], list[int]]:
    """LLaVA-Med's `tokenizer_image_token`: the stretches before and after the image, each tokenised alone."""
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    before, after = f"[INST] <image>\n{question} [/INST]".split("<image>")
    return [1, *tokenizer.encode(before).ids], tokenizer.encode(after).ids


def original_logits(source: Path, pixels: torch.Tensor) -> torch.Tensor:
    """LLaVA-Med's forward pass, built of CLIP, two linear layers and Mistral; returns tokens x vocabulary."""
    rows = json.loads((source / "config.json").read_text())["vocab_size"]
    tower = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=128,
            intermediate_size=64,
            num_hidden_layers=3,
            num_attention_heads=2,
            image_size=32,
            patch_size=8,
        )
    ).eval()
    weights = part(source, "model.vision_tower.vision_tower.")
    names = {name.removeprefix("vision_model."): value for name, value in weights.items()}
    inner = getattr(tower, "vision_model", tower)
    inner.load_state_dict(names)
    text = MistralForCausalLM(
        MistralConfig(
            vocab_size=rows,
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            rms_norm_eps=1e-5,
            max_position_embeddings=4096,
            sliding_window=None,
            rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        )
    ).eval()
    every = part(source, "")
    text.load_state_dict({name: value for name, value in every.items() if name in text.state_dict()})
    with torch.inference_mode():
        features = tower(pixels, output_hidden_states=True).hidden_states[-2][:, 1:]
        first = gelu(linear(features, every["model.mm_projector.0.weight"], every["model.mm_projector.0.bias"]))
        image = linear(first, every["model.mm_projector.2.weight"], every["model.mm_projector.2.bias"])[0]
        before, after = (every["model.embed_tokens.weight"][ids] for ids in chunks(source, QUESTION))
        logits: torch.Tensor = text(inputs_embeds=torch.cat([before, image, after])[None]).logits[0]
    return logits


def square(image: Image.Image) -> Image.Image:
    """LLaVA-Med's `expand2square` with the mean colour of CLIP."""
    side = max(image.size)
    result = Image.new("RGB", (side, side), (122, 116, 104))
    result.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return result


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def prompt(processor: LlavaProcessor, question: str) -> str:
    turn = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}]
    return str(processor.apply_chat_template(turn, add_generation_prompt=True, tokenize=False))


def test_logits_are_those_of_the_original_bit_by_bit(source: Path, out: Path, processor: LlavaProcessor) -> None:
    model, info = LlavaForConditionalGeneration.from_pretrained(out, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    batch = processor(
        text=prompt(processor, QUESTION), images=noise(60, 41), return_tensors="pt", add_special_tokens=False
    )
    with torch.inference_mode():
        found = model.eval()(**batch).logits[0]
    wanted = original_logits(source, batch["pixel_values"])
    assert found.shape[1] % 64 == 0 and torch.equal(found[:, : wanted.shape[1]], wanted)
    assert model.config.text_config.rope_parameters["rope_theta"] == 1e6
    added = found[:, wanted.shape[1] :]  # rows of the mean: never the likeliest token
    assert torch.allclose(added, wanted.mean(-1, keepdim=True).expand_as(added), atol=1e-5)


@pytest.mark.parametrize("size", [(60, 41), (33, 80), (50, 50)], ids=["wide", "high", "square"])
def test_pixels_are_those_of_the_padded_image(size: tuple[int, int], processor: LlavaProcessor) -> None:
    image = noise(*size)
    clip = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    wanted = clip(square(image), return_tensors="np")["pixel_values"]
    assert np.array_equal(processor.image_processor(image, return_tensors="np")["pixel_values"], wanted)


def test_ids_are_those_of_the_original_on_real_questions(
    source: Path, processor: LlavaProcessor, shared_data: Path, tmp_path: Path
) -> None:
    found = (shared_data / "vqa_rad" / "VQA_RAD Dataset Public.json").read_text(encoding="utf-8-sig")
    questions = sorted({row["question"] for row in json.loads(found)})[:200]
    assert len(questions) == 200
    processor.tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    for question in questions:
        before, after = chunks(source, question)
        wanted = [*before, again.convert_tokens_to_ids("<image>"), *after]
        text = prompt(processor, question)
        assert processor.tokenizer(text, add_special_tokens=False)["input_ids"] == wanted
        assert again(text, add_special_tokens=False)["input_ids"] == wanted


def test_a_system_text_and_an_answer_are_written_as_the_original_does(processor: LlavaProcessor) -> None:
    turns = [
        {"role": "system", "content": [{"type": "text", "text": "S"}]},
        {"role": "user", "content": [{"type": "image"}, {"type": "image"}, {"type": "text", "text": "Q"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "A"}]},
        {"role": "user", "content": "R"},
    ]
    text = processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    assert text == "<s>[INST] <<SYS>>\nS\n<</SYS>>\n\n<image>\n<image>\nQ [/INST] A</s>[INST] R [/INST]"


def test_the_report_says_what_was_written(done: Converted, out: Path, source: Path) -> None:
    assert {finding.level for finding in done.findings} == {"ok"}
    assert {"ids", "padding", "logits", "weights", "crop"} <= {finding.name for finding in done.findings}
    assert "logits equal" in done.findings[-1].says and done.dropped == ("model.image_newline",)
    written = json.loads((out / "conversion.json").read_text())
    assert written["tensors"] == len(stored(out)) and written["tower"] == "the checkpoint's own"
    rows = json.loads((source / "config.json").read_text())["vocab_size"]
    assert (done.image_token_id, done.rows_added) == (rows, done.rows - rows)
    for name in stored(out):  # what vLLM reads
        assert name.startswith(("language_model.", "vision_tower.vision_model.", "multi_modal_projector.linear_"))


def test_files_are_of_bounded_size_and_load(source: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 200_000
    monkeypatch.setattr(shards.loads, "__defaults__", (limit,))
    split = convert(source, source.parent / "split")
    largest = max(tensor.bytes for tensor in stored(out).values())
    sizes = [path.stat().st_size for path in (source.parent / "split").glob("*.safetensors")]
    assert split.files == len(sizes) > 4 and max(sizes) < max(limit, largest) + 20_000
    one, many = (
        LlavaForConditionalGeneration.from_pretrained(folder).state_dict() for folder in (out, source.parent / "split")
    )
    assert all(torch.equal(value, many[name]) for name, value in one.items())


def test_another_tower_replaces_the_checkpoint_s(source: Path, tmp_path: Path) -> None:
    weights = files.write_tower(tmp_path / "clip")
    done = convert(source, tmp_path / "out", tower=tmp_path / "clip", tower_name="openai/clip@1")
    held = load_file(tmp_path / "out" / "model.safetensors")
    for name, value in weights.items():
        assert torch.equal(held[f"vision_tower.{name}"], value)
    assert done.tower == "openai/clip@1" and "openai/clip@1" in (tmp_path / "out" / "README.md").read_text()


def _settings(**changed: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changed))

    return change


def _without(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for path in folder.glob("*.safetensors"):
            tensors = load_file(path)
            tensors.pop(name, None)
            save_file(tensors, path)
        index = folder / "model.safetensors.index.json"
        content = json.loads(index.read_text())
        content["weight_map"].pop(name)
        index.write_text(json.dumps(content))

    return change


def _cut(folder: Path) -> None:
    path = folder / "model-00002-of-00002.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_settings(model_type="llava_llama"), "model_type is 'llava_llama'; this converter takes 'llava_mistral'"),
        (_settings(image_aspect_ratio="anyres"), "image_aspect_ratio is 'anyres'"),
        (_settings(hidden_size=128), "its configuration says"),
        (_settings(mm_vision_tower="google/siglip-base"), "not one of OpenAI's CLIP"),
        (_without("model.layers.1.mlp.up_proj.weight"), "half a checkpoint: lacks language_model.model.layers.1.mlp"),
        (_without("model.embed_tokens.weight"), "half a checkpoint: lacks model.embed_tokens.weight"),
        (lambda folder: (folder / "model-00002-of-00002.safetensors").unlink(), "lacks 1 of its 2 files of weights"),
        (_cut, "cannot be read"),
        (lambda folder: (folder / "config.json").unlink(), "config.json: no such file"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "neither tokenizer.json nor tokenizer.model"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "tokenizer.json cannot be read"),
    ],
)
def test_what_is_no_whole_checkpoint_is_refused_and_nothing_is_written(
    change: Callable[[Path], None], says: str, source: Path, tmp_path: Path
) -> None:
    shutil.copytree(source, tmp_path / "bad")
    change(tmp_path / "bad")
    with pytest.raises(ModelError) as refused:
        convert(tmp_path / "bad", tmp_path / "out")
    assert says in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["bad"]


def test_a_folder_that_holds_something_is_left_alone(source: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(DataError, match="is not an empty folder"):
        convert(source, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 200,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_nothing(source: Path, tmp_path: Path, small_disk: None) -> None:
    with pytest.raises(DiskFull, match="out: cannot be written"):
        convert(source, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_no_room_is_found_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="GiB are free"), shards.new_model(tmp_path / "out", 2**60):
        raise AssertionError
    assert not list(tmp_path.iterdir())


def test_a_finding_is_a_line() -> None:
    assert str(Finding("crop", "ok", "nothing is lost")) == "ok     crop: nothing is lost"
    assert issubclass(ModelError, ClincotError)
