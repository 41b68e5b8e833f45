"""Pairs whose tokens carry weights -> Eq. 7 of weighed sums of their log-probabilities, as a TRL trainer."""

from __future__ import annotations

import pyarrow.compute as pc
from datasets import Dataset

from clincot.errors import DataError
from clincot.objectives.margin_dpo import MarginDPOTrainer

COLUMNS = ("chosen_token_weights", "rejected_token_weights")


class TokenWeightedDPOTrainer(MarginDPOTrainer):
    """log pi(text) is the sum of w_t log pi(token t), in policy and reference; without weights each token counts 1.

    `margin_dpo` reads weights too. This name says that the pairs are about them: rows without any are refused.
    """

    @classmethod
    def check_rows(cls, rows: Dataset) -> None:
        """Raise DataError where no text of any row has weights."""
        present = [name for name in COLUMNS if name in rows.column_names]
        table = rows.select_columns(present).with_format("arrow") if present else None
        weighed = table is not None and any(
            pc.any(pc.is_valid(batch[name])).as_py() for batch in table.iter(batch_size=1000) for name in present
        )
        if not weighed:
            raise DataError(
                "train.objective=token_weighted_dpo: no text of these pairs has token weights. Build them with a method"
                " that weighs tokens, or train with train.objective=margin_dpo."
            )
