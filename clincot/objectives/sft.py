"""Examples with gold answers -> batches of prompt and answer, and the trainer of their likelihood ("+SFT")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasets import Features, Image, Json, List, Value
from trl import SFTTrainer

from clincot.chain.steps import direct_question
from clincot.images.views import carried
from clincot.objectives._finite import FiniteGradients, check_loss
from clincot.objectives.collator import PairCollator
from clincot.objectives.head import own_logits
from clincot.objectives.rates import OwnRate
from clincot.objectives.sides import Row, Side
from clincot.recipe import ImageLayout
from clincot.records import Example
from clincot.rows.schema import image_struct

GOLD_FEATURES = Features(
    {
        "id": Value("string"),
        "prompt": List({"role": Value("string"), "content": Json()}),
        "images": List(Image()),
        "answer": Value("string"),
    }
)


def gold_row(example: Example, layout: ImageLayout = "separate") -> dict[str, Any]:
    """Return the columns of one example: what a direct evaluation asks, and the gold answer or report."""
    shown = [carried(example.encoded(i), example.label_of(i)) for i in range(len(example.image_ids))]
    return {
        "id": example.id,
        "prompt": list(direct_question(example, layout)),
        "images": [image_struct(data) for data in shown],
        "answer": example.answer,
    }


@dataclass(frozen=True)
class GoldCollator:
    """Collates without ever truncating; `labels` are the answer's tokens with their end token, -100 elsewhere."""

    pairs: PairCollator

    def __call__(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Return input_ids, attention_mask, labels (rows, tokens), the images and `row_ids`."""
        batch = self.pairs.tokens([self._side(row) for row in rows])
        self.pairs.check_length(batch["attention_mask"].sum(1), rows)
        answer = batch.pop("completion_mask")
        labels = batch["input_ids"].masked_fill(answer == 0, -100)
        return batch | {"labels": labels, "row_ids": [str(row["id"]) for row in rows]}

    def _side(self, row: Row) -> Side:
        renderer, prompt = self.pairs.renderer, [dict(message) for message in row["prompt"]]
        return renderer.side(row, prompt, renderer.seen(row, row["images"], ()), row["answer"])


class GoldTrainer(OwnRate, SFTTrainer):
    """loss = mean over the answers' tokens of -log pi(token); batches come from GoldCollator."""

    model: Any

    def __init__(self, *args: Any, **kwargs: Any):
        self.rows_read: list[str] = []
        with own_logits(kwargs["model"]):
            super().__init__(*args, **kwargs)
        self.add_callback(FiniteGradients(self, "train.sft.learning_rate"))

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write nothing: TRL's card would replace the adapter's own at every save."""

    def _send_telemetry(self) -> None:
        """Send nothing: a run on clinical data stays where it is."""

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """As in TRL; raises ModelError naming the rows when the loss is no number."""
        rows = inputs.pop("row_ids")
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        value = loss[0] if isinstance(loss, tuple) else loss
        check_loss(value, self.state.global_step + 1, rows, "train.sft.learning_rate")
        self.rows_read += rows
        return loss
