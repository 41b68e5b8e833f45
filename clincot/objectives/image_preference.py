"""Pairs of texts and pairs of images with one text -> the losses of CoPO and mDPO (arXiv 2406.11839), a TRL trainer."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from datasets import Dataset
from torch import Tensor

from clincot.errors import DataError
from clincot.objectives.margin_dpo import MarginDPOTrainer, PairLogps
from clincot.recipe import Anchor, Train
from clincot.rows.odd_texts import same_words


class ImagePreferenceTrainer(MarginDPOTrainer):
    """loss = mean over text pairs of Eq. 7 + mean over image pairs of Eq. 7 + anchor.weight * mean of the anchor.

    An image pair has one text, and a preferred and another image (CoPO). With image pairs alone and no anchor this is
    CoPO; with a text pair and an image pair of each question, and anchor.weight 1, it is mDPO. Each term is weighed by
    its pair's weight. The means are over all pairs of the round: a pair counts by the number of pairs over that of its
    kind, in any batch.
    """

    @classmethod
    def options(cls, train: Train) -> dict[str, Any]:
        """As in `MarginDPOTrainer`, and the anchor."""
        return {**super().options(train), "anchor": train.anchor}

    @classmethod
    def check_rows(cls, rows: Dataset) -> None:
        """Raise DataError where no row has equal texts."""
        if not any(_of_images(rows)):
            raise DataError(
                "train.objective=image_preference: no pair has one text with two images. Build them with a method that"
                " pairs images (copo, mdpo, mmedpo), or train with train.objective=margin_dpo."
            )

    def __init__(self, *args: Any, anchor: Anchor | None = None, **kwargs: Any):
        self.anchor = anchor or Anchor()
        super().__init__(*args, **kwargs)
        self.take(self.train_dataset, self.data_collator)

    def take(self, rows: Dataset, collator: Any) -> None:
        """As in `MarginDPOTrainer`; the shares of both kinds are those of these rows."""
        super().take(rows, collator)
        of_images = _of_images(getattr(collator, "source", None) or rows)
        count, images = len(of_images), sum(of_images)
        self.shares = (count / max(1, count - images), count / max(1, images))

    def preference_losses(self, logps: PairLogps, inputs: dict[str, Any]) -> Tensor:
        """Return each pair's part of the loss, whose mean over the round is the sum of the terms' means."""
        of_texts, of_images = self.shares
        losses = super().preference_losses(logps, inputs)
        losses = losses * torch.where(inputs["of_images"], of_images, of_texts)
        if self.anchor.weight:
            gain = self.beta * (logps.chosen - logps.ref_chosen)
            losses = losses - self.anchor.weight * inputs["weight"] * F.logsigmoid(gain - self.anchor.delta)
        return losses


def _of_images(rows: Dataset) -> list[bool]:
    texts = rows.select_columns(["chosen", "rejected"])
    return [same_words(row["chosen"], row["rejected"]) for row in texts]
