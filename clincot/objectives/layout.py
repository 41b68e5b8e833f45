"""A trainer before its first step -> the layout of rows that this model takes, proven against two rows a pair."""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from clincot.objectives.packing import NotShareable, RowsCollator

# Relative error of the mean loss and of the LoRA gradient (norm of the difference over the norm); docs/decisions/0008
# has what was measured.
TOLERANCE = {torch.float32: (1e-4, 1e-3), torch.bfloat16: (2e-2, 1e-1)}


class RowsWarning(UserWarning):
    """Shared rows were asked for and two rows a pair are used."""


@dataclass(frozen=True)
class Layout:
    """The layout in use and, where it was compared with `pair`, by how much loss and gradient differ (relative)."""

    rows: str
    reason: str = ""
    loss_error: float = 0.0
    gradient_error: float = 0.0


def settle_layout(trainer: Any, dtype: torch.dtype) -> Layout:
    """Compare the collator's layout with `pair` on the first batch; where they differ, warn and use `pair`.

    `shared` and `group` rely on a mask of blocks, which not every model respects. The trainer's collator is replaced
    on a fall-back; batches keep their pairs. Gradients and random state are left as they were.
    """
    collator: RowsCollator = trainer.data_collator
    if collator.layout == "pair":
        return Layout("pair")
    layout = _compared(trainer, collator, dtype)
    if layout.rows == "pair":
        trainer.data_collator = dataclasses.replace(collator, layout="pair")
        warnings.warn(
            f"train.batch_layout={collator.layout}: {layout.reason}. Training goes on with two rows a pair, which gives"
            " the same result at more cost; set train.batch_layout=pair to silence this.",
            RowsWarning,
            stacklevel=2,
        )
    return layout


def _compared(trainer: Any, collator: RowsCollator, dtype: torch.dtype) -> Layout:
    elements = [
        trainer.train_dataset[i]
        for i in range(min(trainer.args.per_device_train_batch_size, len(trainer.train_dataset)))
    ]
    try:
        packed = collator(elements)
    except NotShareable as reason:
        return Layout("pair", str(reason))
    if obstacle := _obstacle(trainer, int(packed["position_ids"].max()) + 1):
        return Layout("pair", obstacle)
    rows = [row for element in elements for row in collator.rows(element)]
    plain = [collator.pairs([row]) for row in rows]
    trainer.model.train(trainer.args.disable_dropout)  # checkpointing acts in training only, dropout must not
    loss, gradient = _step(trainer, plain)
    try:
        packed_loss, packed_gradient = _step(trainer, [packed])
    except (TypeError, ValueError) as error:
        return Layout("pair", f"the model does not take such rows ({error})")
    errors = (_relative(packed_loss, loss), _relative(packed_gradient, gradient))
    if all(error <= allowed for error, allowed in zip(errors, TOLERANCE[dtype], strict=True)):
        return Layout(collator.layout, "", *errors)
    differs = f"loss and gradient differ from two rows a pair by {errors[0]:.2g} and {errors[1]:.2g} of their size"
    return Layout("pair", differs, *errors)


def _obstacle(trainer: Any, longest: int) -> str:
    config = trainer.model.config.get_text_config()
    attention = getattr(config, "_attn_implementation", None)
    if attention != "sdpa":
        return f"attention {attention!r} takes no mask of blocks (sdpa does)"
    window = getattr(config, "sliding_window", None)
    if window and longest > window:
        return f"the model's attention slides over {window} tokens and a text needs {longest}"
    return ""


def _step(trainer: Any, batches: list[dict[str, Any]]) -> tuple[Tensor, Tensor]:
    """Return the mean loss over all pairs and its gradient, flat, one batch after the other; leaves no gradient."""
    pairs = sum(len(batch["row_ids"]) for batch in batches)
    total = torch.zeros(())
    parameters = [p for p in trainer.model.parameters() if p.requires_grad]
    try:
        for batch in batches:
            inputs = trainer._prepare_inputs(batch)
            with trainer.compute_loss_context_manager():
                logps, _ = trainer.pair_logps(trainer.model, inputs)
                loss = trainer.preference_losses(logps, inputs).sum() / pairs
            loss.backward()
            total += loss.detach().cpu().float()
        found = [p.grad for p in parameters if p.grad is not None]
        return total, torch.cat([grad.float().flatten() for grad in found])
    finally:
        for parameter in parameters:
            parameter.grad = None


def _relative(found: Tensor, expected: Tensor) -> float:
    if found.shape != expected.shape:
        return float("inf")
    return float((found - expected).norm() / expected.norm().clamp(min=1e-12))
