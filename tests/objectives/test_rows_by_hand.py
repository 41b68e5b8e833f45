"""Every layout of rows against Eq. 7 from scratch: float64, two separate models, one text after the other."""

from __future__ import annotations

import pytest
import torch
from datasets import Dataset
from peft import PeftModel

from clincot.objectives.collator import PairCollator
from clincot.objectives.margin_dpo import MarginDPOTrainer
from clincot.objectives.packing import RowsCollator, groups
from clincot.objectives.sides import Renderer
from clincot.recipe import Margin
from clincot.rows.schema import PAIR_FEATURES
from tests.objectives.by_hand import loss_of
from tests.objectives.rows import make_group, make_row
from tests.objectives.test_margin_dpo import arguments, load, lora, randomise

BETA = 0.3
LAYOUTS = ("pair", "shared", "group")
KINDS = ("linear", "logit", "log", "none")


def laid_out(
    base, processor, rows, folder, layout, kind="linear", conditioning="per_side", trainer=MarginDPOTrainer, **options
):
    given = Dataset.from_list(rows, features=PAIR_FEATURES)
    pairs = PairCollator(Renderer(processor, conditioning), Margin(kind, 1.0))
    return trainer(
        model=load(base, options.pop("dtype", torch.float32)),
        args=arguments(folder, beta=BETA),
        train_dataset=groups(given) if layout == "group" else given,
        data_collator=RowsCollator(pairs, layout, given if layout == "group" else None),
        processing_class=processor,
        peft_config=lora(),
        **options,
    )


def loss_and_gradient(trainer) -> tuple[float, dict[str, torch.Tensor]]:
    trainer.model.zero_grad()
    loss = trainer.compute_loss(trainer.model, trainer.data_collator(list(trainer.train_dataset)))
    loss.backward()
    return loss.item(), {n: p.grad.double() for n, p in trainer.model.named_parameters() if p.grad is not None}


@pytest.fixture(scope="module")
def rows():
    """Two groups of four pairs and two lone rows: own crops, crops within a region, and weights that differ."""
    lone = [make_row(8, group=None), make_row(9, weight=0.3, group="other")]
    return [*make_group(0), *lone, *make_group(1, regions=2)]


@pytest.fixture(scope="module")
def exact(base, processor, rows, tmp_path_factory):
    """Eq. 7 and its gradient in float64 for each margin, and the adapter they were taken at."""
    folder = tmp_path_factory.mktemp("exact")
    trainer = laid_out(base, processor, rows, folder, "pair")
    randomise(trainer.model)
    trainer.model.save_pretrained(folder / "adapter", selected_adapters=["default"])
    reference = load(base, torch.float64)
    policy = PeftModel.from_pretrained(load(base, torch.float64), folder / "adapter", is_trainable=True).double()
    found = {}
    for kind in KINDS:
        policy.zero_grad()
        loss = loss_of(policy, reference, processor, rows, kind, BETA)
        loss.backward()
        gradient = {n: p.grad.clone() for n, p in policy.named_parameters() if p.grad is not None}
        found[kind] = (loss.item(), gradient)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_loss_and_gradients_are_eq_7_in_float64(base, processor, rows, exact, tmp_path, layout, kind):
    trainer = laid_out(base, processor, rows, tmp_path, layout, kind)
    randomise(trainer.model)
    loss, found = loss_and_gradient(trainer)
    expected, gradient = exact[kind]
    assert loss == pytest.approx(expected, abs=1e-5)
    assert gradient.keys() == found.keys() and len(found) > 20
    assert max((gradient[n] - found[n]).abs().max().item() for n in gradient) < 1e-5
    assert max(g.abs().max().item() for g in gradient.values()) > 1e-3


def test_the_margins_ask_for_different_losses(exact):
    losses = [exact[kind][0] for kind in KINDS]
    assert all(abs(a - b) > 0.05 for a in losses for b in losses if a is not b)


@pytest.mark.parametrize("layout", ["shared", "group"])
@pytest.mark.parametrize("conditioning", ["winner", "global"])
def test_other_conditionings_are_laid_out_alike(base, processor, rows, tmp_path, layout, conditioning):
    results = []
    for name in ("pair", layout):
        trainer = laid_out(base, processor, rows, tmp_path / name, name, conditioning=conditioning, nll_weight=0.5)
        randomise(trainer.model)
        results.append(loss_and_gradient(trainer))
    (loss, gradient), (packed, found) = results
    assert packed == pytest.approx(loss, abs=1e-6)
    assert max((gradient[n] - found[n]).abs().max().item() for n in gradient) < 1e-6


def test_a_group_reads_each_candidate_once(base, processor, tmp_path):
    sizes = {}
    rows = make_group(0)
    for layout in LAYOUTS:
        batch = laid_out(base, processor, rows, tmp_path / layout, layout).data_collator
        elements = [{"members": [0, 1, 2, 3]}] if layout == "group" else rows
        made = batch(elements)
        sizes[layout] = (made["input_ids"].shape[0], len(made["pixel_values"]))
    # global image and crop for each of 8 texts; for each of 4 rows once the global image; one row, 5 crops
    assert sizes == {"pair": (8, 16), "shared": (4, 12), "group": (1, 6)}


def test_the_metrics_of_a_batch_do_not_depend_on_its_layout(base, processor, rows, tmp_path):
    metrics = []
    for layout in LAYOUTS:
        trainer = laid_out(base, processor, rows, tmp_path / layout, layout)
        randomise(trainer.model)
        trainer.compute_loss(trainer.model, trainer.data_collator(list(trainer.train_dataset)))
        metrics.append({k: v[0] for k, v in trainer._metrics["train"].items() if k != "num_tokens"})
    assert {"rewards/margins", "rewards/margin_required", "rewards/margin_satisfied", "kl", "tokens/chosen"} <= set(
        metrics[0]
    )
    for other in metrics[1:]:
        assert other == pytest.approx(metrics[0], abs=1e-4)


def test_groups_hold_the_pairs_of_a_question_and_step_and_lone_rows_stand_alone(rows):
    made = groups(Dataset.from_list(rows, features=PAIR_FEATURES))
    assert made["members"] == [[0, 1, 2, 3], [4], [5], [6, 7, 8, 9]]
    assert "images" in made.column_names  # TRL takes a dataset without it for text
