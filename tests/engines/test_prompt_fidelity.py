"""Processors at load: numbers and BOS that old repositories lack, text before the end token, missing libraries."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tokenizers.processors import TemplateProcessing
from transformers import AutoProcessor

from clincot import engines
from clincot.engines._policy import load_policy
from clincot.engines._reading import Written, read, render
from clincot.engines.room import PolicyRoom
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.lm import processors
from clincot.lm.processors import read_processor, repairs_of
from clincot.lm.prompt_faults import after_answer
from clincot.objectives.collator import PairCollator
from clincot.objectives.sides import Renderer
from clincot.phantom.policy.network import FOLDER
from clincot.recipe import Margin, load_recipe
from clincot.stages.train.policy import open_processor, prompt_facts
from tests.objectives.rows import make_row
from tests.tiny import tiny_policy

# The shape of llava-hf/llava-1.5-7b-hf's template: it has no BOS.
LLAVA_15 = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}"
    "{% for c in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for c in message['content'] | selectattr('type', 'equalto', 'text') %}{{ c['text'] + ' ' }}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
ASKED = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Is there a nodule?"}]}]


def rewritten(folder: Path, change: Callable[[str], str], *, bos: bool = False) -> Path:
    """The tiny policy with another chat template, and a tokenizer that adds BOS."""
    processor = AutoProcessor.from_pretrained(tiny_policy(folder))
    if bos:
        own = processor.tokenizer
        adding = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", own.bos_token_id)])
        own.backend_tokenizer.post_processor = adding
    processor.chat_template = processor.tokenizer.chat_template = change(processor.chat_template)
    processor.save_pretrained(folder)
    return folder


def own_ids(folder: Path) -> list[int]:
    """What transformers itself feeds."""
    image = Image.new("RGB", (40, 40))
    asked = [{**ASKED[0], "content": [{"type": "image", "image": image}, ASKED[0]["content"][1]]}]
    processor = AutoProcessor.from_pretrained(folder)
    options = {"add_generation_prompt": True, "tokenize": True, "return_dict": True}
    return list(processor.apply_chat_template(asked, **options)["input_ids"][0])


@pytest.mark.parametrize("written", [False, True])
def test_prompts_have_the_ids_of_the_models_own_processor_bos_included(tmp_path: Path, written: bool, capfd) -> None:
    template = ("{{ bos_token }}" if written else "") + LLAVA_15
    folder = rewritten(tmp_path / "base", lambda _: template, bos=True)
    policy = load_policy(folder, None)
    ids = own_ids(folder)
    assert ids[0] == policy.tokenizer.bos_token_id != ids[1]
    text = render(policy, ASKED, 1)
    prompt = read(policy, text, ["x"], [Written("<image>" * 16, 16)], policy.image_id)
    (segment,) = prompt.trunk
    assert [*segment.ids, *prompt.rest.ids] == ids
    processor, ends, _ = open_processor(folder)
    batch = PairCollator(Renderer(processor, "per_side", ends), Margin("none"))([make_row(0, chosen="Yes")])
    for row, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True):
        assert row[mask.bool()][0] == ids[0] and (row == ids[0]).sum() == 1
    assert ("its tokenizer adds one" in capfd.readouterr().err) is not written


def test_a_tokenizer_that_adds_no_bos_gets_none_and_the_phantom_stays_as_it_is(tmp_path: Path, capfd) -> None:
    folder = rewritten(tmp_path / "base", lambda _: LLAVA_15)
    assert read_processor(folder).chat_template == LLAVA_15
    stored = AutoProcessor.from_pretrained(FOLDER, backend="pil")
    now = read_processor(FOLDER)
    assert now.chat_template == stored.chat_template and now.to_dict() == stored.to_dict()
    assert capfd.readouterr().err == ""


def test_text_between_an_answer_and_its_end_token_is_refused_before_a_build_and_a_round(tmp_path: Path) -> None:
    folder = rewritten(tmp_path / "base", lambda t: t.replace("{{ '</s>' }}", "{{ '<end></s>' }}"))
    for load in (open_processor, PolicyRoom.from_pretrained):
        with pytest.raises(ModelError, match="writes '<end>' between an answer and the end token </s>.* Remove it"):
            load(folder)
    unended = rewritten(tmp_path / "other", lambda t: t.replace("{{ '</s>' }}", "{{ ' END' }}"))
    with pytest.raises(ModelError, match="writes 'END' between"):
        open_processor(unended)
    open_processor(rewritten(tmp_path / "break", lambda t: t.replace("{{ '</s>' }}", r"{{ ' </s>\n' }}")))


@pytest.mark.parametrize("spelled", [r"<\\s>", r"<\s>"])
@pytest.mark.parametrize("end", ["", "</s>"])
def test_a_misspelled_end_is_left_out_by_a_named_rule(tmp_path: Path, spelled: str, end: str, capfd) -> None:
    folder = rewritten(tmp_path / "base", lambda t: t.replace("{{ '</s>' }}", f"{{{{ '{spelled}{end}' }}}}"))
    processor, ends, _ = open_processor(folder)
    assert "<\\s>" not in processor.chat_template and "writes <\\s> after answers" in capfd.readouterr().err
    batch = PairCollator(Renderer(processor, "per_side", ends), Margin("none"))([make_row(0, chosen="Yes")])
    (trained,) = (
        row[mask.bool()] for row, mask in zip(batch["input_ids"][:1], batch["completion_mask"][:1], strict=True)
    )
    assert processor.tokenizer.decode(trained) == "Yes</s>"
    assert repairs_of(folder) == ("answer without <\\s>",) == engines.repairs_of("", folder)
    assert prompt_facts(load_recipe(), folder) == {"prompt_repairs": ["answer without <\\s>"]}
    assert prompt_facts(load_recipe(), FOLDER) == {}


@pytest.mark.parametrize(
    ("name", "family", "asks"),
    [
        ("llava-1.5-7b", "llava-1.5", "<s>USER: <image>\nIs there a nodule? ASSISTANT:"),
        ("llava-v1.6-vicuna-7b", "llava-1.5", "<s>USER: <image>\nIs there a nodule? ASSISTANT:"),
        ("bakLlava-v1-hf", "bakllava", "<s>USER: <image>\nIs there a nodule? ASSISTANT:"),
        ("llava-med-v1.5-mistral-7b-hf", "llava-med", "<s>[INST] <image>\nIs there a nodule? [/INST]"),
        ("llava-v1.6-mistral-7b", "llava-1.6-mistral", "<s>[INST] <image>\nIs there a nodule? [/INST]"),
    ],
)
def test_a_known_family_gets_the_chat_template_that_its_repository_lacks(
    tmp_path: Path, name: str, family: str, asks: str, capfd
) -> None:
    folder = tiny_policy(tmp_path / name)
    (folder / "chat_template.jinja").unlink()
    processor, ends, _ = open_processor(folder)
    assert f"no chat template: that of {family} is used" in capfd.readouterr().err
    assert processor.apply_chat_template(ASKED, add_generation_prompt=True, tokenize=False) == asks
    assert after_answer(processor, ends) == ("", "</s>") and repairs_of(folder) == (f"template of {family}",)
    other = tiny_policy(tmp_path / "mine")  # known by its config, not by its name
    (other / "chat_template.jinja").unlink()
    path = other / "config.json"
    config = json.loads(path.read_text())
    config["text_config"]["_name_or_path"] = f"somebody/{name}"
    path.write_text(json.dumps(config))
    assert repairs_of(other) == (f"template of {family}",)


def test_a_template_that_the_tokenizer_alone_has_is_used(tmp_path: Path) -> None:
    folder = tiny_policy(tmp_path / "base")
    wanted = read_processor(folder).chat_template
    (folder / "chat_template.jinja").unlink()
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"chat_template": wanted}))
    assert read_processor(folder).chat_template == wanted
    assert repairs_of(folder) == ("template of the tokenizer",)


def test_a_model_without_a_template_and_of_no_known_family_is_refused_before_weights_load(tmp_path: Path) -> None:
    folder = tiny_policy(tmp_path / "base")
    (folder / "chat_template.jinja").unlink()
    for load in (open_processor, PolicyRoom.from_pretrained):
        with pytest.raises(ModelError, match="of no known family .bakllava, .* Add chat_template.jinja in a copy"):
            load(folder)


def without(folder: Path, *names: str, **vision: object) -> Path:
    tiny_policy(folder)
    for path, part in ((folder / "processor_config.json", None), (folder / "config.json", "vision_config")):
        config = json.loads(path.read_text())
        if part is None:
            config = {name: value for name, value in config.items() if name not in names}
        else:
            config[part] |= vision
        path.write_text(json.dumps(config))
    return folder


def test_numbers_that_a_llavas_processor_lacks_come_from_the_models_config(tmp_path: Path, capfd) -> None:
    names = ("num_additional_image_tokens", "patch_size", "vision_feature_select_strategy")
    folder = without(tmp_path / "base", *names)
    processor = read_processor(folder)
    assert [getattr(processor, name) for name in names] == [1, 8, "default"]
    assert "patch_size 8, num_additional_image_tokens 1" in capfd.readouterr().err
    assert repairs_of(folder) == ("numbers",)
    inputs = processor(images=[[Image.new("RGB", (32, 32))]], text=["<image>"])
    assert len(inputs["input_ids"][0]) == 16
    TransformersEngine.from_pretrained(folder, batch_size=1)


def test_numbers_of_an_unknown_tower_are_refused_with_their_names(tmp_path: Path) -> None:
    folder = without(tmp_path / "base", "num_additional_image_tokens", model_type="dinov2")
    with pytest.raises(ModelError, match="lacks num_additional_image_tokens, and its tower is not one .* Add them to"):
        read_processor(folder)


def test_a_processor_that_counts_other_image_tokens_than_the_model_makes_is_refused_before_a_build(tmp_path) -> None:
    folder = tiny_policy(tmp_path / "base")
    path = folder / "processor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_additional_image_tokens": 0}))
    with pytest.raises(ModelError, match="does not read an image .*tokens: 15, .*processor_config.json"):
        TransformersEngine.from_pretrained(folder, batch_size=1)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("Qwen2VLVideoProcessor requires the Torchvision library but it was not found", "pip install torchvision"),
        ("Package `num2words` is required to run SmolVLM processor.", "pip install num2words"),
        ("requires the SentencePiece library but it was not found", "pip install sentencepiece"),
        ("something else", r"cannot be read \(something else\)"),
    ],
)
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, said: str, named: str) -> None:
    monkeypatch.setattr(processors, "lacks", lambda name: True)
    with pytest.raises(ModelError, match=named):
        raise ModelError(processors.unreadable("base", ImportError(said)))
