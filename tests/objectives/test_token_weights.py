"""Rows that weigh tokens: Eq. 7 of weighed sums, by hand, in every layout; a stored reference is not read for them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from datasets import Dataset
from peft import PeftModel

from clincot.errors import DataError
from clincot.images import decode
from clincot.objectives.collator import PairCollator
from clincot.objectives.margin_dpo import MarginDPOTrainer
from clincot.objectives.sides import Renderer
from clincot.objectives.token_weighted import TokenWeightedDPOTrainer
from clincot.recipe import Margin
from clincot.rows.schema import PAIR_FEATURES
from tests.objectives.rows import make_group
from tests.objectives.test_margin_dpo import load, randomise
from tests.objectives.test_rows_by_hand import BETA, LAYOUTS, laid_out, loss_and_gradient


def tokens(processor: Any, text: str) -> list[int]:
    return processor.tokenizer(text + "</s>", add_special_tokens=False)["input_ids"]


@pytest.fixture(scope="module")
def rows(processor: Any) -> list[dict[str, Any]]:
    """The pairs of one group, of which one weighs the chosen text's tokens, one both texts' and two none."""
    made = make_group(3)
    for number, names in ((0, ("chosen",)), (2, ("chosen", "rejected"))):
        for name in names:
            count = len(tokens(processor, made[number][name]))
            made[number] |= {f"{name}_token_weights": [0.25 * (1 + i % 5) for i in range(count)]}
    return [row | {"ref_chosen_logp": -123.0, "ref_rejected_logp": -321.0} for row in made]


def weighed(model: Any, processor: Any, row: dict[str, Any], name: str) -> torch.Tensor:
    """The weighed log-probability of one text after image and crop, alone in its batch (nats)."""
    images = [decode(row["images"][0]["bytes"]), decode(row["side_images"][name == "rejected"]["bytes"])]
    words = row["prompt"][0]["content"][-1]["text"]
    text = tokens(processor, row[name])
    prompt = f"<s><|user|><image><image>{words}<|assistant|>"
    inputs = processor(images=images, text=prompt, add_special_tokens=False, return_tensors="pt")
    ids = torch.cat((inputs["input_ids"], torch.tensor([text])), dim=1)
    logits = model(input_ids=ids, pixel_values=inputs["pixel_values"].to(model.dtype)).logits[0]
    logps = F.log_softmax(logits, -1)[-len(text) - 1 : -1].gather(1, torch.tensor(text)[:, None])[:, 0]
    return (logps * torch.tensor(row[f"{name}_token_weights"] or [1.0] * len(text), dtype=model.dtype)).sum()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_loss_and_gradients_are_those_of_weighed_sums_in_float64(layout, base, processor, rows, tmp_path) -> None:
    trainer = laid_out(base, processor, rows, tmp_path / "trainer", layout, "none", trainer=TokenWeightedDPOTrainer)
    randomise(trainer.model)
    trainer.model.save_pretrained(tmp_path / "adapter", selected_adapters=["default"])
    reference = load(base, torch.float64)
    policy = PeftModel.from_pretrained(load(base, torch.float64), tmp_path / "adapter", is_trainable=True).double()
    expected = []
    for row in rows:
        with torch.no_grad():
            known = [weighed(reference, processor, row, side) for side in SIDES]
        gains = [weighed(policy, processor, row, side) - known[place] for place, side in enumerate(SIDES)]
        expected.append(-row["weight"] * F.logsigmoid(BETA * (gains[0] - gains[1])))
    mean = torch.stack(expected).mean()
    mean.backward()
    exact = {n: p.grad for n, p in policy.named_parameters() if p.grad is not None}
    loss, found = loss_and_gradient(trainer)
    assert loss == pytest.approx(mean.item(), abs=1e-5)
    assert max((exact[n] - found[n]).abs().max().item() for n in exact) < 1e-5
    assert max(grad.abs().max().item() for grad in exact.values()) > 1e-3


SIDES = ("chosen", "rejected")


def test_a_stored_reference_is_read_only_where_tokens_weigh_alike(processor, rows) -> None:
    batch = PairCollator(Renderer(processor), Margin("none", 1.0), stored_reference=True)(rows)
    assert batch["ref_chosen_logp"].isnan().tolist() == [True, False, True, False]
    assert batch["ref_rejected_logp"].isnan().tolist() == [False, False, True, False]
    assert "token_weights" not in PairCollator(Renderer(processor), Margin("none", 1.0))(rows[1:2])


def test_the_objective_of_weights_is_the_same_loss_and_refuses_rows_without_any(
    base, processor, rows, tmp_path
) -> None:
    given = Dataset.from_list(rows, features=PAIR_FEATURES)
    TokenWeightedDPOTrainer.check_rows(given)
    with pytest.raises(DataError, match="token_weighted_dpo: no text of these pairs has token weights"):
        TokenWeightedDPOTrainer.check_rows(given.select([1, 3]))
    with pytest.raises(DataError, match="no text of these pairs"):
        TokenWeightedDPOTrainer.check_rows(given.remove_columns(["chosen_token_weights", "rejected_token_weights"]))
    assert TokenWeightedDPOTrainer.preference_losses is MarginDPOTrainer.preference_losses


def test_weights_of_other_tokens_are_refused(processor, rows) -> None:
    odd = rows[0] | {"chosen_token_weights": [1.0, 2.0]}
    with pytest.raises(DataError, match=r"has \d+ tokens, end token included, and 2 token weights"):
        PairCollator(Renderer(processor), Margin("none", 1.0))([odd])
