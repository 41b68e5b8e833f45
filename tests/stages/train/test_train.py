"""Rounds of training on a tiny real LLaVA: the known answer, what is written, and that a killed run continues."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from peft import AutoPeftModel, PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText, AutoProcessor

from clincot.errors import DataError, ModelError, RecipeError
from clincot.methods.clincot_config import Config
from clincot.recipe import Margin, MethodChoice, Models, ModelSource, Recipe, Train
from clincot.stages.train import arguments as _arguments
from clincot.stages.train import dpo as train
from clincot.stages.train.dpo import TrainJob, train_adapter
from clincot.stages.train.export import export_merged
from tests.objectives.by_hand import loss_of, text_logp
from tests.objectives.rows import make_row, write_rows
from tests.tiny import tiny_judge, tiny_policy

PAIRS = 6
STEPS = 6  # two epochs of three batches
WEIGHTS = "adapter_model.safetensors"
DPO = {"learning_rate": 5e-3, "per_device_train_batch_size": 2, "num_train_epochs": 2, "beta": 0.5, "logging_steps": 1}


def make_recipe(**changes) -> Recipe:
    dpo = DPO | changes.pop("dpo", {})
    lora = {"r": 4, "lora_alpha": 8} | changes.pop("lora", {})
    source = ModelSource("clincot/tiny")
    return Recipe(
        name="clincot",
        method=MethodChoice("clincot", Config()),
        setting="tests",
        benchmark="phantom",
        models=Models(source, source, (source, source)),
        train=Train(dpo=dpo, lora=lora, **changes),
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    torch.set_num_threads(1)
    return tiny_policy(tmp_path_factory.mktemp("policy") / "base")


@pytest.fixture(scope="module")
def rows(base, tmp_path_factory) -> Path:
    """Rows as an exact engine would write them: with the base policy's own log-probabilities."""
    model, processor = AutoModelForImageTextToText.from_pretrained(base), AutoProcessor.from_pretrained(base)
    made = [make_row(i, weight=(1.0, 0.5, 1.5)[i % 3]) for i in range(PAIRS)]
    with torch.no_grad():
        for row in made:
            row["ref_chosen_logp"] = text_logp(model, processor, row, 0).item()
            row["ref_rejected_logp"] = text_logp(model, processor, row, 1).item()
            for name, text in (("ref_chosen_tokens", row["chosen"]), ("ref_rejected_tokens", row["rejected"])):
                row[name] = len(processor.tokenizer(text, add_special_tokens=False)["input_ids"]) + 1  # its end token
    return write_rows(tmp_path_factory.mktemp("rows") / "part.parquet", made)


@pytest.fixture(scope="module")
def make_job(base, rows):
    def make(folder: Path, **changes) -> TrainJob:
        job = TrainJob(make_recipe(), 1, (rows,), base, str(base), None, folder, stored_reference=False)
        return dataclasses.replace(job, **changes)

    return make


@pytest.fixture(scope="module")
def round_1(make_job, tmp_path_factory):
    job = make_job(tmp_path_factory.mktemp("round-1"))
    return job, train_adapter(job)


@pytest.fixture(scope="module")
def watched():
    """The trainers that train_adapter made, newest last."""
    made: list = []
    original = train._trainer

    def watch(*args):
        made.append(original(*args))
        return made[-1]

    train._trainer = watch
    yield made
    train._trainer = original


@pytest.fixture(scope="module")
def round_2(make_job, round_1, watched, tmp_path_factory):
    job = make_job(tmp_path_factory.mktemp("round-2"), round=2, parent=round_1[1].adapter)
    return job, train_adapter(job), watched[-1]


def known_loss(rows: Path) -> float:
    import pyarrow.parquet as pq

    table = pq.read_table(rows, columns=["weight", "chosen_score", "rejected_score"]).to_pylist()
    losses = [
        r["weight"] * torch.log1p(torch.tensor(r["chosen_score"] - r["rejected_score"]).exp()).item() for r in table
    ]
    return sum(losses) / len(losses)


def logits(model, processor) -> torch.Tensor:
    from clincot.images import decode

    row = make_row(0)
    images = [decode(row["images"][0]["bytes"]), decode(row["side_images"][0]["bytes"])]
    inputs = processor(
        images=images, text="<s><|user|><image><image>Is there a nodule?<|assistant|>", return_tensors="pt"
    )
    with torch.no_grad():
        return model.eval()(**inputs).logits


def test_round_1_starts_at_the_known_answer_and_learns(rows, round_1):
    facts = round_1[1].facts
    assert facts["known_first_loss"] == pytest.approx(known_loss(rows), abs=1e-5)
    assert facts["first_loss"] == pytest.approx(facts["known_first_loss"], abs=1e-6)
    assert facts["final_loss"] < 0.7 * facts["first_loss"] and facts["reward_accuracy"] == 1.0
    assert (facts["pairs"], facts["steps"], facts["stored_references"]) == (PAIRS, STEPS, 0)
    assert [entry["step"] for entry in round_1[1].history if "loss" in entry] == list(range(1, STEPS + 1))


def test_the_adapter_folder_holds_two_files_and_names_its_base(base, round_1, round_2):
    import json

    for outcome in (round_1[1], round_2[1]):
        assert sorted(p.name for p in outcome.adapter.iterdir()) == ["adapter_config.json", WEIGHTS]
        config = json.loads((outcome.adapter / "adapter_config.json").read_text())
        assert config["base_model_name_or_path"] == str(base) and config["task_type"] is None
        assert config["target_modules"] == sorted(config["target_modules"])
        weights = load_file(outcome.adapter / WEIGHTS)
        assert sum(w.numel() for w in weights.values()) == outcome.facts["trainable_parameters"]
        assert all("language_model" in name and "ref" not in name for name in weights)


def test_the_adapter_loads_both_ways_with_the_trainers_logits(base, round_2):
    _, outcome, trainer = round_2
    processor = AutoProcessor.from_pretrained(base)
    expected = logits(trainer.model, processor)
    plain = AutoModelForImageTextToText.from_pretrained(base)
    before = logits(plain, processor)
    assert torch.equal(logits(PeftModel.from_pretrained(plain, outcome.adapter), processor), expected)
    assert torch.equal(logits(AutoPeftModel.from_pretrained(outcome.adapter), processor), expected)
    assert not torch.equal(before, expected)


def test_round_2_starts_from_round_1_which_stays_its_reference(round_1, round_2):
    _, outcome, trainer = round_2
    assert outcome.facts["first_loss"] == pytest.approx(outcome.facts["known_first_loss"], abs=1e-6)
    assert outcome.facts["first_gap"] == 0.0
    parent, child = load_file(round_1[1].adapter / WEIGHTS), load_file(outcome.adapter / WEIGHTS)
    named = dict(trainer.model.named_parameters())
    for name, weight in parent.items():
        assert torch.equal(named[name.replace(".weight", ".ref.weight")], weight)
        assert not torch.equal(child[name], weight)


def test_the_stored_reference_gives_the_weights_of_the_computed_one_within_rounding(make_job, round_1, tmp_path):
    outcome = train_adapter(make_job(tmp_path, stored_reference=True))
    assert outcome.facts["stored_references"] == PAIRS and 0 < outcome.facts["first_gap"] < 1e-4
    stored, computed = load_file(outcome.adapter / WEIGHTS), load_file(round_1[1].adapter / WEIGHTS)
    assert max((stored[n] - computed[n]).abs().max().item() for n in stored) < 1e-3


def test_a_stored_reference_of_another_policy_is_caught(make_job, round_1, tmp_path):
    job = make_job(tmp_path, round=2, parent=round_1[1].adapter, stored_reference=True)
    with pytest.raises(
        ModelError, match=r"row row-\d: policy and stored reference differ .*adapter is of another round"
    ):
        train_adapter(job)


def test_a_text_that_is_other_tokens_now_is_caught_before_a_model_is_loaded(make_job, rows, monkeypatch, tmp_path):
    table = pq.read_table(rows)
    counts = table["ref_rejected_tokens"].to_pylist()
    place = table.column_names.index("ref_rejected_tokens")
    column = pa.array([counts[0] + 1, *counts[1:]], pa.int32())
    pq.write_table(table.set_column(place, "ref_rejected_tokens", column), tmp_path / "part.parquet")
    monkeypatch.setattr(train, "_trainer", lambda *_: pytest.fail("a model was loaded"))
    job = make_job(tmp_path, rows=(tmp_path / "part.parquet",), stored_reference=True)
    with pytest.raises(ModelError, match=r"row row-0: a text has \d+ tokens and had \d+ .*Likely"):
        train_adapter(job)


@pytest.mark.parametrize("layout", ["pair", "group"])
def test_every_layout_of_rows_gives_the_same_round_within_rounding(make_job, round_1, tmp_path, layout):
    outcome = train_adapter(make_job(tmp_path, recipe=make_recipe(batch_layout=layout), stored_reference=True))
    facts = outcome.facts
    assert facts["rows"] == layout and round_1[1].facts["rows"] == "shared"
    assert (facts["rows_gradient_error"] > 0) == (layout == "group")
    assert (facts["pairs"], facts["steps"], facts["stored_references"]) == (PAIRS, STEPS, PAIRS)
    assert facts["known_first_loss"] == pytest.approx(round_1[1].facts["known_first_loss"], abs=1e-6)
    # the rows are groups of one, in the same order: the same batches
    found, shared = load_file(outcome.adapter / WEIGHTS), load_file(round_1[1].adapter / WEIGHTS)
    assert max((found[n] - shared[n]).abs().max().item() for n in shared) < 1e-3


def test_features_kept_give_the_same_round(make_job, round_1, tmp_path):
    outcome = train_adapter(make_job(tmp_path, recipe=make_recipe(feature_cache_gb=0.01)))
    assert (outcome.adapter / WEIGHTS).read_bytes() == (round_1[1].adapter / WEIGHTS).read_bytes()


def test_a_reference_of_other_weights_is_caught_before_the_first_step(make_job, round_1, monkeypatch, tmp_path):
    import hashlib

    parent = round_1[1].adapter
    job = make_job(tmp_path, round=2, parent=parent, recipe=make_recipe(dpo={"max_steps": 1}))
    facts = train_adapter(job).facts
    assert facts["reference_sha256"] == hashlib.sha256((parent / WEIGHTS).read_bytes()).hexdigest()
    assert facts["first_gap_allowed"] == 1e-3 and round_1[1].facts["reference_sha256"] is None
    make = train._trainer

    def wrong(*args):
        trainer = make(*args)
        next(p for n, p in trainer.model.named_parameters() if ".ref." in n).data += 1e-4
        return trainer

    monkeypatch.setattr(train, "_trainer", wrong)
    with pytest.raises(ModelError, match="reference: its weights are not those of .*adapter.*Likely: TRL or PEFT"):
        train_adapter(dataclasses.replace(job, folder=tmp_path / "again"))


def test_another_conditioning_computes_its_reference(make_job, tmp_path):
    recipe = make_recipe(conditioning="winner", dpo={"max_steps": 1})
    outcome = train_adapter(make_job(tmp_path, recipe=recipe, stored_reference=True))
    assert outcome.facts["stored_references"] == 0 and outcome.facts["first_gap"] == 0.0


def test_a_reference_written_in_another_dtype_is_computed(make_job, tmp_path):
    recipe = make_recipe(dtype="bfloat16", dpo={"max_steps": 1})
    facts = train_adapter(make_job(tmp_path, recipe=recipe, stored_reference=True)).facts
    assert (facts["dtype"], facts["stored_references"], facts["first_gap"]) == ("bfloat16", 0, 0.0)


@pytest.fixture(scope="module")
def projector(make_job, watched, tmp_path_factory):
    """Two rounds that train the projector too."""
    recipe = make_recipe(lora={"modules_to_save": ["multi_modal_projector"]})
    first = train_adapter(make_job(tmp_path_factory.mktemp("first"), recipe=recipe))
    job = make_job(tmp_path_factory.mktemp("second"), recipe=recipe, round=2, parent=first.adapter)
    return first, train_adapter(job), watched[-1]


def test_a_trained_projector_is_the_references_own_in_every_round(base, projector):
    first, second, trainer = projector
    assert first.facts["first_gap"] == second.facts["first_gap"] == 0.0
    assert second.facts["known_first_loss"] == pytest.approx(second.facts["first_loss"], abs=1e-6)
    assert first.facts["trainable_parameters"] == second.facts["trainable_parameters"]
    before, parent, child = (
        load_file(base / "model.safetensors"),
        *(load_file(outcome.adapter / WEIGHTS) for outcome in (first, second)),
    )
    names = [name for name in parent if "multi_modal_projector" in name]
    assert len(names) == 4 and not any("ref" in name for name in child)
    held = dict(trainer.model.named_parameters())
    for name in names:
        own = name.removeprefix("base_model.model.").removeprefix("model.")
        original = next(value for key, value in before.items() if key.removeprefix("model.") == own)
        assert not torch.equal(parent[name], original) and not torch.equal(child[name], parent[name])
        layer = name.replace("multi_modal_projector.", "multi_modal_projector.modules_to_save.ref.")
        assert torch.equal(held[layer], parent[name])


def test_an_adapter_with_a_projector_loads_and_exports_with_the_trainers_logits(base, projector, tmp_path):
    _, outcome, trainer = projector
    processor = AutoProcessor.from_pretrained(base)
    plain = AutoModelForImageTextToText.from_pretrained(base)
    expected = logits(trainer.model, processor)
    assert torch.equal(logits(PeftModel.from_pretrained(plain, outcome.adapter), processor), expected)
    merged = export_merged(base, outcome.adapter, tmp_path / "merged")
    exported = AutoModelForImageTextToText.from_pretrained(merged.folder)
    assert torch.allclose(logits(exported, processor), expected, atol=1e-4)


def test_recomputation_is_what_the_recipe_says_before_what_the_estimate_says(make_job, monkeypatch, tmp_path):
    def chosen(**dpo) -> bool:
        job = make_job(tmp_path, recipe=make_recipe(dpo=dpo, dtype="float32"))
        return train._arguments(job, None, None).gradient_checkpointing

    assert not chosen() and chosen(gradient_checkpointing=True)  # on a CPU memory is not short
    monkeypatch.setattr(train, "batch_tokens", lambda *_: 1000)
    for free, estimate in ((0, True), (10**12, False)):
        cuda = SimpleNamespace(is_available=lambda: True, mem_get_info=lambda free=free: (free, free))
        stand_in = SimpleNamespace(cuda=cuda, float32=torch.float32, bfloat16=torch.bfloat16)
        for module in (train, _arguments):  # a GPU for the choice alone: TRL still finds none
            monkeypatch.setattr(module, "torch", stand_in)
        assert chosen() is estimate
        assert chosen(gradient_checkpointing=True) and not chosen(gradient_checkpointing=False)


def test_the_same_job_gives_the_same_weights_and_a_finished_one_is_not_trained_again(
    make_job, round_1, watched, tmp_path
):
    again = train_adapter(make_job(tmp_path))
    first = round_1[1]
    assert (again.adapter / WEIGHTS).read_bytes() == (first.adapter / WEIGHTS).read_bytes()
    assert (again.adapter / "adapter_config.json").read_bytes() == (first.adapter / "adapter_config.json").read_bytes()
    at = time_of(round_1[0].folder)
    repeated = train_adapter(round_1[0])
    assert time_of(round_1[0].folder) == at
    assert (repeated.adapter / WEIGHTS).read_bytes() == (again.adapter / WEIGHTS).read_bytes()
    assert repeated.facts["final_loss"] == first.facts["final_loss"]


def time_of(folder: Path) -> int:
    (save,) = (folder / "trainer").glob("checkpoint-*")
    return (save / "trainer_state.json").stat().st_mtime_ns


def killed_at(job: TrainJob, step: int) -> None:
    class Die(train.Live):
        def on_step_begin(self, args, state, control, **kwargs):
            if state.global_step == step:
                os.kill(os.getpid(), signal.SIGKILL)

    train.Live = Die
    train_adapter(job)


@pytest.mark.parametrize("number", [1, 2])
def test_a_killed_run_continues_to_the_weights_of_an_uninterrupted_one(make_job, round_1, round_2, tmp_path, number):
    whole_job, whole = (round_1 if number == 1 else round_2)[:2]
    job = dataclasses.replace(whole_job, folder=tmp_path)
    child = multiprocessing.get_context("fork").Process(target=killed_at, args=(job, 4))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL and not (tmp_path / "adapter").exists()
    (save,) = (tmp_path / "trainer").glob("checkpoint-*")
    assert save.name == "checkpoint-4"
    torn = tmp_path / "trainer" / "checkpoint-5"  # a save that the kill cut short
    torn.mkdir()
    (torn / "trainer_state.json").write_text('{"global_step"')
    outcome = train_adapter(job)
    assert (outcome.adapter / WEIGHTS).read_bytes() == (whole.adapter / WEIGHTS).read_bytes()
    assert [e["loss"] for e in outcome.history if "loss" in e] == [e["loss"] for e in whole.history if "loss" in e]


def test_another_recipe_does_not_continue_an_old_save(make_job, round_1, tmp_path):
    train_adapter(make_job(tmp_path, recipe=make_recipe(dpo={"max_steps": 1})))
    other = make_job(tmp_path, recipe=make_recipe(margin=Margin("none"), dpo={"max_steps": 2}))
    outcome = train_adapter(other)
    logs = [e for e in outcome.history if "loss" in e]
    assert [e["step"] for e in logs] == [1, 2]
    assert [e["rewards/margin_required"] for e in logs] == [0.0, 0.0] and logs[0]["kl"] == 0.0
    # plain DPO: mean of weights * log 2
    assert outcome.facts["known_first_loss"] == pytest.approx(0.693147, abs=1e-5)


@pytest.mark.parametrize(
    ("drop", "message"),
    [
        ("chosen", "not a preference dataset, lacks chosen"),
        ("side_images", "lacks side_images"),
        ("chosen_score", "lacks chosen_score"),
    ],
)
def test_a_dataset_without_the_columns_is_refused_by_name(make_job, rows, tmp_path, drop, message):
    import pyarrow.parquet as pq

    path = tmp_path / "other.parquet"
    pq.write_table(pq.read_table(rows).drop_columns([drop]), path)
    with pytest.raises(DataError, match=message):
        train_adapter(make_job(tmp_path / "job", rows=(path,)))


def test_empty_and_unreadable_and_null_rows_are_refused(make_job, tmp_path):
    import pyarrow.parquet as pq

    full = make_job(tmp_path / "job")
    empty = tmp_path / "empty.parquet"
    pq.write_table(pq.read_table(full.rows[0]).slice(0, 0), empty)
    with pytest.raises(DataError, match=r"empty.parquet: no preference pairs"):
        train_adapter(dataclasses.replace(full, rows=(empty,)))
    text = tmp_path / "text.parquet"
    text.write_text("not parquet")
    with pytest.raises(DataError, match=r"text.parquet: cannot be read as parquet"):
        train_adapter(dataclasses.replace(full, rows=(text,)))
    nulls = write_rows(tmp_path / "nulls.parquet", [make_row(0), make_row(1, chosen_score=None)])
    with pytest.raises(DataError, match=r"chosen_score is null in 1 of 2 rows"):
        train_adapter(dataclasses.replace(full, rows=(nulls,)))


def test_rows_longer_than_the_model_are_refused_before_its_weights_load(make_job, base, tmp_path):
    import shutil

    bare = shutil.copytree(base, tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    long = write_rows(tmp_path / "long.parquet", [make_row(0), make_row(1, chosen="nodule " * 2000)])
    with pytest.raises(DataError, match=r"row row-1: has \d+ tokens with its images, the model takes 2048"):
        train_adapter(make_job(tmp_path / "job", base=bare, rows=(long,)))


def test_a_prompt_that_asks_for_other_images_is_refused_before_a_model_is_loaded(make_job, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "_trainer", lambda *_: pytest.fail("a model was loaded"))
    prompt = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Is it?"}]}]
    made = [*(make_row(i) for i in range(6)), make_row(6, prompt=prompt)]  # the shortest row: no probe of lengths
    job = make_job(tmp_path / "job", rows=(write_rows(tmp_path / "rows.parquet", made),))
    with pytest.raises(DataError, match="row row-6: the prompt asks for 1 images and the chosen side has 2"):
        train_adapter(job)
    with pytest.raises(DataError, match="row row-6: .* asks for 1 images and the chosen side has 2"):
        train_adapter(dataclasses.replace(job, recipe=make_recipe(conditioning="winner")))
    with pytest.raises(pytest.fail.Exception, match="a model was loaded"):
        train_adapter(dataclasses.replace(job, recipe=make_recipe(conditioning="global")))


def test_a_base_without_vision_or_of_an_unknown_kind_is_refused(make_job, tmp_path):
    with pytest.raises(ModelError, match="judge: is a llama, not a vision-language model"):
        train_adapter(make_job(tmp_path / "job", base=tiny_judge(tmp_path / "judge")))
    unknown = tmp_path / "unknown"
    unknown.mkdir()
    (unknown / "config.json").write_text('{"model_type": "llava_mistral"}')
    with pytest.raises(ModelError, match="unknown: is not a model that transformers reads"):
        train_adapter(make_job(tmp_path / "job", base=unknown))


def test_an_adapter_of_another_rank_or_no_adapter_is_refused(make_job, round_1, tmp_path):
    job = make_job(tmp_path / "job", round=2, parent=round_1[1].adapter)
    with pytest.raises(ModelError, match=r"has r 4, the recipe asks for 8.*train.lora.r=4"):
        train_adapter(dataclasses.replace(job, recipe=make_recipe(lora={"r": 8})))
    with pytest.raises(ModelError, match=r"has lora_dropout 0.0, the recipe asks for 0.1.*train.lora.lora_dropout=0.0"):
        recipe = make_recipe(lora={"r": 4, "lora_alpha": 8, "lora_dropout": 0.1})
        train_adapter(dataclasses.replace(job, recipe=recipe))
    with pytest.raises(
        ModelError, match="trains no module in addition to LoRA, the recipe asks for multi_modal_projector"
    ):
        recipe = make_recipe(lora={"modules_to_save": ["multi_modal_projector"]})
        train_adapter(dataclasses.replace(job, recipe=recipe))
    with pytest.raises(ModelError, match=r"is not an adapter, adapter_config.json, adapter_model.safetensors missing"):
        train_adapter(dataclasses.replace(job, parent=tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dpo": {"learning_rat": 1}}, r"train.dpo.learning_rat: .*Did you mean 'learning_rate'"),
        ({"dpo": {"max_length": 512}}, r"train.dpo.max_length: is always None here"),
        ({"dpo": {"loss_type": "hinge"}}, r"train.dpo.loss_type: is always"),
        ({"lora": {"rank": 8}}, r"train.lora.rank: LoraConfig has no such setting"),
        ({"dpo": {"lr_scheduler_type": "wave"}}, r"train.dpo: .*wave"),
    ],
)
def test_settings_that_trl_or_peft_would_misread_are_refused(make_job, tmp_path, changes, message):
    with pytest.raises(RecipeError, match=message):
        train_adapter(make_job(tmp_path, recipe=make_recipe(**changes)))


def test_pairs_without_a_preference_are_dropped_and_counted_in_the_facts(make_job, tmp_path):
    odd = [make_row(7, rejected=""), make_row(8, chosen_score=0.1, rejected_score=0.4), make_row(9, weight=-1.0)]
    path = write_rows(tmp_path / "rows.parquet", [odd[0], make_row(0), odd[1], make_row(1), odd[2]])
    with pytest.warns(UserWarning, match="3 of 5 pairs are not trained on"):
        out = train_adapter(make_job(tmp_path / "job", rows=(path,), recipe=make_recipe(dpo={"max_steps": 1})))
    assert out.facts["pairs"] == 2 and sum(out.facts["dropped_pairs"].values()) == 3
    plain = write_rows(tmp_path / "plain.parquet", [make_row(0), make_row(1)])
    same = train_adapter(make_job(tmp_path / "same", rows=(plain,), recipe=make_recipe(dpo={"max_steps": 1})))
    assert (out.adapter / WEIGHTS).read_bytes() == (same.adapter / WEIGHTS).read_bytes()


def first_loss_by_hand(base, policy: Path, reference: Path | None, rows: Path) -> float:
    """Eq. 7 over the first rows through two models loaded apart; `reference` None is the base."""
    processor = AutoProcessor.from_pretrained(base)

    def load(adapter: Path | None):
        model = AutoModelForImageTextToText.from_pretrained(base)
        return (model if adapter is None else PeftModel.from_pretrained(model, adapter)).eval()

    made = [make_row(i) | {"weight": weight} for i, weight in enumerate((1.0, 0.5, 1.5, 1.0, 0.5, 1.5))]
    with torch.no_grad():
        return float(loss_of(load(policy), load(reference), processor, made, "linear", 0.5))


@pytest.mark.parametrize("layout", ["pair", "shared"])
def test_against_the_initial_policy_the_first_loss_is_that_of_both_policies(
    make_job, round_1, base, rows, tmp_path, layout
):
    parent = round_1[1].adapter
    recipe = make_recipe(reference="initial", batch_layout=layout, dpo={"max_steps": 2})
    job = make_job(tmp_path / "job", round=2, parent=parent, recipe=recipe, stored_reference=True)
    out = train_adapter(job)
    expected = first_loss_by_hand(base, parent, None, rows)
    assert out.facts["first_loss"] == pytest.approx(expected, abs=1e-4)
    assert out.facts["known_first_loss"] == pytest.approx(expected, abs=1e-4)
    started = train_adapter(
        make_job(
            tmp_path / "start", round=2, parent=parent, recipe=make_recipe(batch_layout=layout, dpo={"max_steps": 2})
        )
    )
    assert abs(started.facts["first_loss"] - out.facts["first_loss"]) > 1e-3  # there policy and reference are one
    assert out.facts["reference_sha256"] is None and out.facts["stored_references"] == 0
    assert out.facts["reference"] == "initial" and out.facts["first_gap"] > 1e-3
    assert (out.adapter / WEIGHTS).read_bytes() != (started.adapter / WEIGHTS).read_bytes()


def test_the_initial_policy_may_be_an_adapter_itself(make_job, round_1, base, rows, tmp_path):
    initial = round_1[1].adapter
    second = train_adapter(make_job(tmp_path / "second", round=2, parent=initial, recipe=make_recipe())).adapter
    recipe = make_recipe(reference="initial", dpo={"max_steps": 1})
    out = train_adapter(make_job(tmp_path / "third", round=3, parent=second, initial=initial, recipe=recipe))
    assert out.facts["first_loss"] == pytest.approx(first_loss_by_hand(base, second, initial, rows), abs=1e-4)
    assert out.facts["reference_sha256"] == sha256((initial / WEIGHTS).read_bytes()).hexdigest()


def test_in_the_first_round_both_readings_are_one(make_job, tmp_path):
    recipes = [make_recipe(reference=name, dpo={"max_steps": 2}) for name in ("initial", "round_start")]
    outs = [train_adapter(make_job(tmp_path / str(i), recipe=recipe)) for i, recipe in enumerate(recipes)]
    assert outs[0].facts["first_loss"] == pytest.approx(outs[0].facts["known_first_loss"], abs=1e-5)
    assert (outs[0].adapter / WEIGHTS).read_bytes() == (outs[1].adapter / WEIGHTS).read_bytes()


def test_another_reference_than_the_initial_policy_is_refused(make_job, round_1, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "use_initial", lambda *_: None)  # the reference stays the round's start
    recipe = make_recipe(reference="initial", dpo={"max_steps": 1})
    with pytest.raises(ModelError, match="reference: it is an adapter and must be the base"):
        train_adapter(make_job(tmp_path, round=2, parent=round_1[1].adapter, recipe=recipe))


def test_a_run_shorter_than_the_steps_between_logs_logs_its_last_step(make_job, tmp_path):
    recipe = make_recipe(dpo={"logging_steps": 1000, "max_steps": 2})
    out = train_adapter(make_job(tmp_path, recipe=recipe))
    assert [entry["step"] for entry in out.history if "loss" in entry] == [2] and out.facts["final_loss"] > 0
