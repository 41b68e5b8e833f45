"""CoPO and mDPO against their formulas in float64 with two separate models, in every layout; what rows they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from datasets import Dataset
from peft import PeftModel

from clincot.errors import DataError
from clincot.objectives.image_preference import ImagePreferenceTrainer
from clincot.recipe import Anchor
from clincot.rows.schema import PAIR_FEATURES
from tests.objectives.by_hand import text_logp
from tests.objectives.rows import make_row
from tests.objectives.test_margin_dpo import load, randomise
from tests.objectives.test_rows_by_hand import LAYOUTS, laid_out, loss_and_gradient

BETA = 0.3


def pairs_of(index: int, weight: float) -> list[dict[str, Any]]:
    """A text pair and an image pair of one question: the chosen side is the same in both."""
    texts = make_row(index, weight=weight)
    texts |= {"side_images": [texts["side_images"][0]] * 2}
    images = make_row(index, id=f"row-{index}-images", weight=weight, rejected=texts["chosen"], chosen=texts["chosen"])
    return [texts, images]


ROWS = [row for index, weight in enumerate((1.0, 0.4, 1.7)) for row in pairs_of(index, weight)]
IMAGES = [row for row in ROWS if row["chosen"] == row["rejected"]]


def made(base, processor, rows, folder, layout, anchor: Anchor) -> ImagePreferenceTrainer:
    trainer = laid_out(base, processor, rows, folder, layout, "none", trainer=ImagePreferenceTrainer, anchor=anchor)
    randomise(trainer.model)
    return trainer


def by_hand(policy, reference, processor, rows, anchor: Anchor) -> torch.Tensor:
    """The sum of the means of three terms, as arXiv 2406.11839 writes them, each times the weight of its pair."""
    texts, images, anchors = [], [], []
    for row in rows:
        with torch.no_grad():
            ref = [text_logp(reference, processor, row, side) for side in (0, 1)]
        gains = [text_logp(policy, processor, row, side) - ref[side] for side in (0, 1)]
        kind = images if row["chosen"] == row["rejected"] else texts
        kind.append(-row["weight"] * F.logsigmoid(BETA * (gains[0] - gains[1])))
        anchors.append(-row["weight"] * F.logsigmoid(BETA * gains[0] - anchor.delta))
    terms = [torch.stack(kind).mean() for kind in (texts, images) if kind]
    return sum(terms, anchor.weight * torch.stack(anchors).mean())


CASES = {
    "copo": (IMAGES, Anchor()),
    "mdpo": (ROWS, Anchor(1.0)),
    "unequal numbers and a delta": (ROWS[:4] + ROWS[5:], Anchor(0.5, 0.7)),
}


@pytest.mark.parametrize("case", CASES)
def test_loss_and_gradients_are_the_papers_in_float64_in_every_layout(base, processor, tmp_path, case) -> None:
    rows, anchor = CASES[case]
    first = made(base, processor, rows, tmp_path / "pair", "pair", anchor)
    first.model.save_pretrained(tmp_path / "adapter", selected_adapters=["default"])
    reference = load(base, torch.float64)
    policy = PeftModel.from_pretrained(load(base, torch.float64), tmp_path / "adapter", is_trainable=True).double()
    expected = by_hand(policy, reference, processor, rows, anchor)
    expected.backward()
    exact = {n: p.grad for n, p in policy.named_parameters() if p.grad is not None}
    for layout in LAYOUTS:
        loss, found = loss_and_gradient(made(base, processor, rows, tmp_path / layout, layout, anchor))
        assert loss == pytest.approx(expected.item(), abs=1e-5)
        assert max((exact[n] - found[n]).abs().max().item() for n in exact) < 1e-5
    assert max(grad.abs().max().item() for grad in exact.values()) > 1e-3


def test_a_question_with_a_text_pair_and_an_image_pair_reads_three_texts(base, processor, tmp_path) -> None:
    trainer = made(base, processor, ROWS[:2], tmp_path, "group", Anchor(1.0))
    batch = trainer.data_collator(list(trainer.train_dataset))
    assert len({*batch["chosen_text"].tolist(), *batch["rejected_text"].tolist()}) == 3
    assert batch["chosen_text"][0] == batch["chosen_text"][1] and batch["of_images"].tolist() == [False, True]


def test_rows_without_an_image_pair_are_refused(base) -> None:
    ImagePreferenceTrainer.check_rows(Dataset.from_list(ROWS, features=PAIR_FEATURES))
    with pytest.raises(DataError, match="image_preference: no pair has one text with two images"):
        ImagePreferenceTrainer.check_rows(Dataset.from_list([make_row(0)], features=PAIR_FEATURES))
