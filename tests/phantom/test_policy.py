"""The tiny LLaVA: packing equals plain prompts, training lowers the loss, the shipped weights load and answer."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from PIL import Image

from clincot import engines
from clincot.chain import prompts
from clincot.convert.served import renamed
from clincot.convert.stored import read_json, stored
from clincot.errors import ModelError
from clincot.lm.requests import GenerateRequest
from clincot.phantom.drawing.draw import RANGES, draw
from clincot.phantom.policy.figures import Trial, choose, generate, interval, region
from clincot.phantom.policy.network import FOLDER, load_policy, new_policy, save_policy
from clincot.phantom.policy.packing import Packer, collate
from clincot.phantom.policy.pretrain import draw_bank, pretrain_policy, train_text
from clincot.phantom.policy.rows import rows
from clincot.phantom.policy.views import pixel_values, training_region, view
from clincot.phantom.policy.vision import train_vision
from clincot.phantom.texts.tokenizer import IMAGE, train_tokenizer
from clincot.records import Box

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def fresh():
    torch.manual_seed(0)
    return new_policy()


@pytest.fixture(scope="module")
def shipped():
    return load_policy()


def quiet(_: str) -> None:
    return None


def test_any_text_survives_the_tokenizer_and_digits_stand_alone():
    tokenizer = train_tokenizer()
    text = "Größe 12 mm, 漢字 <b>\n\t🙂 Is there a nodule?"
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(ids) == text
    assert all(len(tokenizer.encode(str(digit), add_special_tokens=False)) == 1 for digit in range(10))
    assert [tokenizer.decode([i]) for i in tokenizer.encode("19", add_special_tokens=False)] == ["1", "9"]


def test_the_world_needs_few_tokens_and_training_the_tokenizer_is_deterministic():
    first, again = train_tokenizer(), train_tokenizer()
    assert first.get_vocab() == again.get_vocab() and 500 < len(first) <= 800
    assert len(first.encode("The local image shows a pneumothorax.", add_special_tokens=False)) == 7


def test_the_chat_template_holds_system_user_and_assistant_turns(fresh):
    _, processor = fresh
    judge = prompts.judge_messages("Is there a nodule?", "yes", (), "no")
    text = processor.tokenizer.apply_chat_template(judge, tokenize=False, add_generation_prompt=True)
    assert text.startswith("<s><|system|>You are") and text.endswith("Statement: no<|assistant|>")
    talk = [*prompts.direct_messages("Q?"), {"role": "assistant", "content": [{"type": "text", "text": "yes"}]}]
    assert processor.apply_chat_template(talk).endswith("<|assistant|>yes<|end|>")
    assert processor.apply_chat_template(prompts.answer_messages("Q?", ())).count(IMAGE) == 2


def test_views_are_the_pixels_of_the_processor(fresh):
    _, processor = fresh
    phantom = draw(0, 3)
    boxes = [Box(0, 0, 256, 256), Box(20, 30, 100, 180), Box(50, 60, 150, 160)]
    picture = Image.fromarray(phantom.image).convert("RGB")
    theirs = processor.image_processor([picture.crop(box) for box in boxes], return_tensors="pt")["pixel_values"]
    assert torch.allclose(pixel_values([view(phantom, box) for box in boxes]), theirs, atol=1e-6)


def test_a_packed_row_has_the_logits_of_the_same_row_alone(fresh):
    model, processor = fresh
    model.eval()
    rng = np.random.default_rng(0)
    phantom = draw(0, 3)
    box = training_region(phantom, rng)
    made = rows(phantom, box, rng)
    packed = Packer(processor).pack(made)
    batch = collate([packed], processor.tokenizer.pad_token_id)
    packed_inputs = {"input_ids": batch.ids, "attention_mask": batch.mask, "position_ids": batch.positions}
    picture = Image.fromarray(phantom.image).convert("RGB")
    with torch.inference_mode():
        together = model(**packed_inputs, pixel_values=pixel_values([view(phantom), view(phantom, box)])).logits[0]
        for number, row in enumerate(made):
            text = processor.apply_chat_template(row.messages, add_generation_prompt=True) + row.completion + "<|end|>"
            pictures = [picture, picture.crop(box)] if row.crop else [picture]
            inputs = processor(images=pictures, text=text, add_special_tokens=False, return_tensors="pt")
            alone = model(**inputs).logits[0]
            mine = torch.tensor(packed.segments) == number + 2
            assert torch.allclose(together[mine], alone[-int(mine.sum()) :], atol=1e-5)
            said = batch.targets[0][mine]
            assert processor.tokenizer.decode(said[said >= 0].tolist()) == row.completion + "<|end|>"


def test_both_stages_lower_their_loss_and_the_second_leaves_the_tower_alone():
    torch.manual_seed(0)
    model, processor = new_policy()
    bank = draw_bank(0, 0, 16, quiet)
    tower = model.model.vision_tower
    first = train_vision(tower, bank, seed=0, steps=25, batch=16, report=quiet)
    assert np.mean(first[-5:]) < 0.8 * np.mean(first[:5])
    before = {name: value.clone() for name, value in tower.state_dict().items()}
    second = train_text(model, processor, bank, seed=0, steps=25, batch=3, report=quiet)
    assert np.mean(second[-5:]) < 0.8 * np.mean(second[:5])
    assert all(torch.equal(value, tower.state_dict()[name]) for name, value in before.items())


@pytest.mark.long
def test_pretraining_is_reproducible_and_writes_a_card(tmp_path):
    sizes = {"images": 6, "vision_steps": 2, "text_steps": 2, "held_out": 3}
    for name in ("a", "b"):
        figures = pretrain_policy(tmp_path / name, 5, quiet, **sizes)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b")]
    assert weights[0] == weights[1]
    assert renamed(stored(tmp_path / "a"), read_json(tmp_path / "a" / "config.json")) == {}
    assert figures["seed"] == 5 and set(figures["kinds"]) == {"global", "random", "right"}
    assert "| presence |" in (tmp_path / "a" / "README.md").read_text()


def test_a_saved_policy_with_missing_weights_is_refused(fresh, tmp_path):
    from safetensors.torch import load_file, save_file

    save_policy(*fresh, tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights[next(name for name in weights if "multi_modal_projector" in name)]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="clincot phantom pretrain"):
        load_policy(tmp_path)


def test_the_shipped_policy_is_small_and_reads_one_or_two_images(shipped):
    model, processor = shipped
    assert (FOLDER / "model.safetensors").stat().st_size < 6_000_000
    phantom = draw(0, 11)
    picture = Image.fromarray(phantom.image).convert("RGB")
    one = (prompts.direct_messages("Is this radiograph normal?"), [picture])
    two = (prompts.finding_messages("Is there a nodule?", ()), [picture, picture.crop((60, 60, 140, 140))])
    assert generate(model, processor, [one])[0] in ("yes", "no")
    assert generate(model, processor, [two])[0].startswith("The local image shows ")


def test_the_shipped_policy_leaves_out_more_than_half_of_the_nodules_and_invents_none():
    engine = engines.load("transformers", FOLDER, batch_size=64, threads=1)
    trials = choose(draw_bank(0, RANGES["held_out"], 240, quiet), 200)
    shown, greedily = nodules_named(engine, [t for t in trials if t.question.finding == "nodule"], "right")
    elsewhere, _ = nodules_named(engine, [t for t in trials if not t.phantom.findings], "random")
    assert 0.15 < shown < 0.5 and elsewhere < 0.05 and greedily < 0.5


def nodules_named(engine: engines.Engine, trials: list[Trial], look: str) -> tuple[float, float]:
    """Return the shares of step findings that name a nodule, sampled at 0.7 and greedy, where `right` shows one."""
    trials = [t for t in trials if look != "right" or "nodule" in t.phantom.names]
    assert len(trials) > 20
    requests = []
    for trial in trials:
        picture = Image.fromarray(trial.phantom.image).convert("RGB")
        seen = (picture, picture.crop(region(trial, look, 0)))
        asked = tuple(prompts.finding_messages(trial.question.text, ()))
        for temperature in (0.7, 0.7, 0.0):
            seed = len(requests)
            requests.append(GenerateRequest(asked, seen, seed, temperature=temperature, top_p=1.0, max_new_tokens=24))
    named = ["nodule" in reply.text for reply in engine.generate(requests)]
    return float(np.mean(named[0::3] + named[1::3])), float(np.mean(named[2::3]))


def test_the_card_of_the_shipped_policy_states_its_figures():
    card = (FOLDER / "README.md").read_text()
    rows_of_open = re.search(r"\| open \| (\d+) \| (.+) \|", card)
    assert rows_of_open and int(rows_of_open[1]) >= 400
    prior, alone, _, right = (float(cell.split()[0]) for cell in rows_of_open[2].split(" | "))
    assert right > alone > prior
    assert "clincot phantom pretrain --only policy" in card and "Not for clinical use" in card


def test_intervals_are_over_images():
    one_image = interval([1] * 50 + [2] * 50, [1.0] * 50 + [0.0] * 50)
    many = interval(list(range(100)), [1.0] * 50 + [0.0] * 50)
    assert one_image["value"] == many["value"] == 50
    assert one_image["high"] - one_image["low"] > 3 * (many["high"] - many["low"])
