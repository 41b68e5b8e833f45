"""The trainer against stock TRL (bit for bit) and against Eq. 7 evaluated in float64 with two separate models."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import AutoModelForImageTextToText
from trl import DPOConfig, DPOTrainer

from clincot.errors import ModelError
from clincot.images import decode
from clincot.objectives.collator import PairCollator
from clincot.objectives.margin_dpo import MarginDPOTrainer
from clincot.objectives.sides import Renderer
from clincot.recipe import Margin
from clincot.rows.schema import PAIR_FEATURES
from tests.objectives.by_hand import text_logp
from tests.objectives.rows import make_row

EXCLUDED = r".*(vision_tower|multi_modal_projector).*"
STEPS = 6


def arguments(folder: Path, **changes) -> DPOConfig:
    options = {
        "learning_rate": 1e-2,
        "max_steps": STEPS,
        "per_device_train_batch_size": 2,
        "max_length": None,
        "remove_unused_columns": False,
        "logging_steps": 1,
        "report_to": "none",
        "bf16": False,
        "use_cpu": True,
        "gradient_checkpointing": False,
        "disable_tqdm": True,
        "save_strategy": "no",
    }
    return DPOConfig(output_dir=str(folder), **(options | changes))


def lora() -> LoraConfig:
    return LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", exclude_modules=EXCLUDED)


def load(base: Path, dtype=torch.float32):
    return AutoModelForImageTextToText.from_pretrained(base, dtype=dtype)


def ours(base, processor, rows, folder, *, kind="linear", **options) -> MarginDPOTrainer:
    changes = options.pop("changes", {})
    return MarginDPOTrainer(
        model=load(base),
        args=arguments(folder, **changes),
        train_dataset=Dataset.from_list(rows, features=PAIR_FEATURES),
        data_collator=PairCollator(Renderer(processor), Margin(kind, 1.0)),
        processing_class=processor,
        peft_config=lora(),
        **options,
    )


def stock(base, processor, rows, folder, **changes) -> DPOTrainer:
    told = [
        {
            "prompt": row["prompt"],
            "images": [decode(i["bytes"]) for i in (*row["images"], row["side_images"][0])],
            **{k: [{"role": "assistant", "content": row[k]}] for k in ("chosen", "rejected")},
        }
        for row in rows
    ]
    return DPOTrainer(
        model=load(base),
        args=arguments(folder, **changes),
        train_dataset=Dataset.from_list(told, on_mixed_types="use_json"),
        processing_class=processor,
        peft_config=lora(),
    )


def trained(trainer) -> tuple[list[float], dict[str, torch.Tensor]]:
    losses: list[float] = []
    step = trainer.compute_loss

    def listen(*args, **kwargs):
        loss = step(*args, **kwargs)
        losses.append(loss.item())
        return loss

    trainer.compute_loss = listen
    trainer.train()
    return losses, {n: p.detach().clone() for n, p in trainer.model.named_parameters() if "lora" in n}


@pytest.mark.parametrize(("nll_weight", "loss_type"), [(0.0, ["sigmoid"]), (1.0, ["sigmoid", "sft"])])
def test_margin_0_weight_1_and_equal_images_are_stock_dpo_bit_for_bit(base, processor, tmp_path, nll_weight, loss_type):
    rows = [make_row(i) for i in range(6)]
    rows = [row | {"side_images": [row["side_images"][0]] * 2} for row in rows]
    own = ours(base, processor, rows, tmp_path / "a", kind="none", nll_weight=nll_weight)
    other = stock(base, processor, rows, tmp_path / "b", loss_type=loss_type)
    (losses, weights), (stock_losses, stock_weights) = trained(own), trained(other)
    assert len(losses) == STEPS and len(set(losses)) == STEPS
    assert losses == stock_losses
    assert weights.keys() == stock_weights.keys()
    assert all(torch.equal(weights[name], stock_weights[name]) for name in weights)
    assert any(weights[name].abs().max() > 0 for name in weights if "lora_B" in name)


def randomise(model) -> None:
    torch.manual_seed(7)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, 0.05)


def test_the_likelihood_term_counts_by_its_weight(base, processor, tmp_path):
    rows = [make_row(i) for i in range(3)]
    losses = []
    for weight in (0.0, 0.25, 1.0):
        trainer = ours(base, processor, rows, tmp_path / str(weight), nll_weight=weight)
        losses.append(trainer.compute_loss(trainer.model, trainer.data_collator(rows)).item())
    term = losses[2] - losses[0]
    assert term > 0.1 and losses[1] - losses[0] == pytest.approx(0.25 * term, rel=1e-4)


def test_loss_and_gradient_are_eq_7_in_float64_with_two_separate_models(base, processor, tmp_path):
    rows = [make_row(i, weight=w) for i, w in enumerate((1.0, 0.4, 1.7))]
    trainer = ours(base, processor, rows, tmp_path / "t", changes={"beta": 0.3})
    randomise(trainer.model)
    trainer.model.save_pretrained(tmp_path / "adapter", selected_adapters=["default"])
    loss = trainer.compute_loss(trainer.model, trainer.data_collator(rows))
    loss.backward()

    reference = load(base, torch.float64)
    policy = PeftModel.from_pretrained(load(base, torch.float64), tmp_path / "adapter", is_trainable=True).double()
    by_hand = torch.zeros((), dtype=torch.float64)
    for row in rows:
        with torch.no_grad():
            ref = [text_logp(reference, processor, row, side) for side in (0, 1)]
        logp = [text_logp(policy, processor, row, side) for side in (0, 1)]
        required = row["chosen_score"] - row["rejected_score"]
        inner = 0.3 * ((logp[0] - ref[0]) - (logp[1] - ref[1])) - required
        by_hand = by_hand - row["weight"] * torch.log(1 / (1 + torch.exp(-inner))) / len(rows)
    by_hand.backward()

    assert loss.item() == pytest.approx(by_hand.item(), abs=1e-5)
    assert abs(by_hand.item() - 0.6931) > 0.01
    exact = {n: p.grad for n, p in policy.named_parameters() if p.grad is not None}
    found = {n: p.grad for n, p in trainer.model.named_parameters() if p.grad is not None}
    assert exact.keys() == found.keys() and exact
    assert max((exact[n] - found[n].double()).abs().max().item() for n in exact) < 1e-5
    assert max(g.abs().max().item() for g in exact.values()) > 1e-3


def test_a_stored_reference_gives_the_loss_of_the_computed_one(base, processor, tmp_path):
    rows = [make_row(i) for i in range(2)]
    trainer = ours(base, processor, rows, tmp_path / "t")
    randomise(trainer.model)
    computed = trainer.data_collator(rows)
    chosen, rejected = trainer.compute_ref_log_probs(trainer.model, computed)
    stored = computed | {"ref_chosen_logp": chosen, "ref_rejected_logp": rejected}
    assert trainer.compute_loss(trainer.model, stored).item() == trainer.compute_loss(trainer.model, computed).item()
    gaps = computed | {"ref_chosen_logp": chosen, "ref_rejected_logp": torch.tensor([rejected[0], torch.nan])}
    assert trainer.compute_loss(trainer.model, gaps).item() == trainer.compute_loss(trainer.model, computed).item()
    wrong = computed | {"ref_chosen_logp": chosen - 1, "ref_rejected_logp": rejected}
    assert trainer.compute_loss(trainer.model, wrong).item() != trainer.compute_loss(trainer.model, computed).item()


def test_metrics_name_what_the_margin_asks_and_how_many_pairs_give_it(base, processor, tmp_path):
    rows = [make_row(i) for i in range(2)]
    trainer = ours(base, processor, rows, tmp_path / "t", changes={"max_steps": 12, "beta": 1.0})
    trainer.train()
    logs = [entry for entry in trainer.state.log_history if "loss" in entry]
    required = sum(row["chosen_score"] - row["rejected_score"] for row in rows) / 2
    assert logs[0]["rewards/margin_required"] == pytest.approx(required, abs=1e-6)
    assert logs[0]["rewards/margin_satisfied"] == 0.0 and logs[-1]["rewards/margin_satisfied"] == 1.0
    assert logs[0]["kl"] == 0.0 and logs[-1]["kl"] > 0.0
    assert logs[-1]["rewards/margins"] == pytest.approx(
        logs[-1]["rewards/chosen"] - logs[-1]["rewards/rejected"], abs=1e-5
    )
    assert logs[0]["tokens/chosen"] > 1


def test_a_loss_that_is_no_number_stops_training_and_names_the_rows(base, processor, tmp_path):
    rows = [make_row(0), make_row(1)]
    trainer = ours(base, processor, rows, tmp_path / "t")
    next(p for n, p in trainer.model.named_parameters() if "lora_B" in n).data.fill_(float("nan"))
    with pytest.raises(ModelError, match=r"step 1: the loss is nan on rows row-\d, row-\d"):
        trainer.train()


def test_compute_metrics_reads_the_logits_as_in_trl(base, processor, tmp_path):
    rows, seen = [make_row(i) for i in range(4)], []

    def measure(found):
        seen.append((found.predictions.shape, found.label_ids.shape))
        return {"texts": float(len(found.label_ids))}

    trainer = ours(base, processor, rows, tmp_path, compute_metrics=measure)
    metrics = trainer.evaluate(eval_dataset=trainer.train_dataset)
    # As with TRL's trainer, transformers keeps as many texts as the dataset has rows.
    assert metrics["eval_texts"] == 4.0 and metrics["eval_loss"] > 0
    (predictions, labels), vocabulary = seen[0], trainer.model.config.text_config.vocab_size
    assert predictions == (*labels, vocabulary)


def test_the_load_balancing_loss_of_experts_is_added_with_its_coefficient(base, processor, tmp_path):
    trainer = ours(base, processor, [make_row(i) for i in range(2)], tmp_path)
    inputs = trainer._prepare_inputs(trainer.data_collator(list(trainer.train_dataset)))
    plain = trainer._compute_loss(trainer.model, dict(inputs), False)
    asked = []

    def with_experts(output_router_logits=False, **known):
        asked.append(output_router_logits)
        outputs = trainer.model(**known)
        outputs.aux_loss = torch.tensor(2.0, requires_grad=True)
        return outputs

    trainer.aux_loss_enabled, trainer.router_aux_loss_coef = True, 0.25
    loss = trainer._compute_loss(with_experts, dict(inputs), False)
    assert asked == [True] and loss.item() == pytest.approx(plain.item() + 0.5)
    assert trainer._metrics["train"]["aux_loss"] == [2.0]
