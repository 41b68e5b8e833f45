"""Each thing that a LLaVA's folder can get wrong is found by name; a whole folder has no finding."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import LlavaProcessor

from clincot.convert.check import check
from clincot.convert.finding import refuse_failures
from clincot.convert.fit import image_sizes
from clincot.errors import DataError, ModelError


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny.tiny_policy(tmp_path / "model")


def _json(name: str, **changed: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps(json.loads(path.read_text()) | changed))

    return change


def _images(**changed: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "processor_config.json"
        content = json.loads(path.read_text())
        content["image_processor"] |= changed
        path.write_text(json.dumps(content))

    return change


def _template(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "chat_template.jinja"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


def _names(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        kept = {name.replace(old, new): value for name, value in tensors.items() if new or old not in name}
        save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})

    return change


def _bare(name: str) -> Callable[[Path], None]:
    """Take the chat template away, from a model whose config names what it was made of."""

    def change(folder: Path) -> None:
        (folder / "chat_template.jinja").unlink()
        _json("config.json", _name_or_path=name)(folder)

    return change


def _starts(folder: Path) -> None:
    """Let the tokenizer write <s> by itself, as Mistral's does, and the template none."""
    processor = LlavaProcessor.from_pretrained(folder, backend="pil")
    from tokenizers.processors import TemplateProcessing

    processor.tokenizer.backend_tokenizer.post_processor = TemplateProcessing("<s> $A", None, [("<s>", 1)])
    processor.tokenizer.save_pretrained(folder)
    _template("{{ '<s>' }}", "")(folder)


CROP = _images(do_pad=False, image_processor_type="CLIPImageProcessor")


@pytest.mark.parametrize(
    ("change", "name", "level", "says"),
    [
        (_names("multi_modal_projector.linear_2.bias", ""), "weights", "fails", "linear_2.bias"),
        (_names("vision_tower.vision_model.", "vision_tower."), "servers", "warns", "vLLM reads the tower as"),
        (_json("config.json", image_token_index=5), "image token", "fails", "3 in the tokenizer, 5 in the config"),
        (_json("processor_config.json", num_additional_image_tokens=0), "image length", "fails", "15 tokens for 16"),
        (_json("processor_config.json", patch_size=None), "image length", "warns", "patch_size 8: clincot takes them"),
        (_json("processor_config.json", vision_feature_select_strategy="full"), "image length", "fails", "full in"),
        (lambda folder: (folder / "chat_template.jinja").unlink(), "template", "fails", "is missing. Add chat"),
        (_bare("liuhaotian/llava-v1.5-7b"), "template", "warns", "is missing. clincot takes that of llava-1.5, a ser"),
        (_template("{{ '<image>' }}", ""), "template", "fails", "for an image and a question"),
        (_template("{{ '<s>' }}", "{{ '<s><s>' }}"), "template", "fails", "writes 2 start tokens"),
        (_starts, "template", "warns", "writes no start token. clincot adds it"),
        (_template("{{ '</s>' }}", "{{ '<\\\\s></s>' }}"), "answer", "warns", "'<\\\\s>', a misspelled end"),
        (_template("{{ '</s>' }}", "{{ ' END</s>' }}"), "answer", "fails", "Let </s> follow it directly"),
        (_template("{{ '</s>' }}", ""), "answer", "warns", "ends it with nothing; </s> is added"),
        (_images(crop_size={"height": 24, "width": 24}), "pixels", "fails", "the tower reads 32 x 32"),
        (CROP, "crop", "warns", "the centre crop removes 23.9% of 5 usual sizes, 50.0% at most"),
    ],
)
def test_a_fault_is_found(change: Callable[[Path], None], name: str, level: str, says: str, model: Path) -> None:
    change(model)
    found = {finding.name: finding for finding in check(model)}
    assert found[name].level == level and says in found[name].says
    if level == "fails":
        with pytest.raises(ModelError, match=f"model: {name}: "):
            refuse_failures(found.values(), "model")


def test_a_whole_model_passes(model: Path) -> None:
    findings = check(model)
    refuse_failures(findings, "model")
    assert {finding.level for finding in findings if finding.name != "servers"} == {"ok"}


def test_the_loss_is_that_of_the_images(model: Path, tmp_path: Path) -> None:
    CROP(model)
    folder = tmp_path / "images"
    folder.mkdir()
    with pytest.raises(DataError, match="holds no image"):
        image_sizes(folder)
    Image.new("L", (100, 50)).save(folder / "wide.png")
    Image.new("L", (80, 80)).save(folder / "square.png")
    (folder / "notes.txt").write_text("notes")
    assert "removes 25.0% of 2 images, 50.0% at most" in check(model, image_sizes(folder))[-1].says


@pytest.mark.parametrize(("kind", "says"), [("llava_mistral", "clincot convert llava-med"), ("bert", "only llava")])
def test_another_type_is_refused(kind: str, says: str, model: Path) -> None:
    _json("config.json", model_type=kind)(model)
    with pytest.raises(ModelError, match=says):
        check(model)
