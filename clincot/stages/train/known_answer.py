"""A trainer before its first step -> proof that policy and reference are one: the loss is a known number (Eq. 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import get_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor

from clincot.errors import ModelError
from clincot.objectives.margin import pair_losses
from clincot.objectives.margin_dpo import MarginDPOTrainer, PairLogps
from clincot.objectives.sides import Renderer
from clincot.records.lineage import shown
from clincot.stages.train.initial import second_losses

ROWS = 8  # rows, or groups of them
# Per text (nats) and for the mean loss. float32: engine and trainer agree within 3.8e-6 per token (measured).
# bfloat16 rounds each logit to 3 digits: 0.02 nats measured for a text of 25 tokens alone and in a shared row, on a
# CPU; the tolerance leaves room for texts of some hundred tokens and for a GPU's kernels, which were not measured.
TOLERANCE = {torch.float32: (1e-3, 1e-3), torch.bfloat16: (0.5, 0.05)}
STORED = (
    "Likely: the adapter is of another round, the chat template or image processor changed since the build, or another"
    " engine wrote the log-probabilities. Build the round again or let the trainer compute the reference."
)
COUNTS = ("ref_chosen_tokens", "ref_rejected_tokens")
MOVED = "Likely: TRL or PEFT changed how a reference is computed. Install the versions of the constraints file."
COMPUTED = "Likely: the adapter starts from other weights than its reference (init_lora_weights). Correct train.lora."


@dataclass(frozen=True)
class FirstStep:
    """Mean loss of the first rows in eval mode and what it had to be; the largest |log pi - log ref| of a text.

    `allowed` is the gap (nats) up to which policy and reference count as one.
    """

    loss: float
    known: float
    gap: float
    allowed: float


def check_moved(trainer: MarginDPOTrainer, dtype: torch.dtype) -> FirstStep:
    """As `check_first_step` where the reference is the initial policy: the loss is compared with a second computation.

    The gap of a policy that has moved away from its reference says nothing; it is kept for the lineage.
    """
    _, allowed = TOLERANCE[dtype]
    found, gap, known = [], 0.0, []
    for rows, _, losses, _, gaps in _batches(trainer):
        found.append(losses)
        gap = max(gap, float(gaps.max()))
        with torch.no_grad(), trainer.compute_loss_context_manager():
            known.append(second_losses(trainer, rows))
    first = FirstStep(float(torch.cat(found).mean()), float(torch.cat(known).mean()), gap, float("inf"))
    if not abs(first.loss - first.known) <= allowed:
        raise ModelError(
            f"first step: the loss is {first.loss:.6f}, and {first.known:.6f} when both policies are computed alone."
            f" {MOVED}"
        )
    return first


def check_first_step(trainer: MarginDPOTrainer, dtype: torch.dtype) -> FirstStep:
    """Evaluate the first rows in eval mode; raises ModelError naming the likely cause of an unknown answer."""
    stored = bool(getattr(trainer.data_collator, "stored_reference", False))
    per_text, per_loss = TOLERANCE[dtype] if stored else TOLERANCE[torch.float32]
    losses: list[Tensor] = []
    known: list[Tensor] = []
    largest = 0.0
    for _, inputs, found, expected, gap in _batches(trainer):
        losses.append(found)
        known.append(expected)
        worst = float(gap.max())
        largest = max(largest, worst)
        if not worst <= per_text:
            row = inputs["row_ids"][int(gap.argmax()) % len(inputs["row_ids"])]
            raise ModelError(
                f"first step, row {row}: policy and {'stored ' if stored else ''}reference differ by {worst:.4g} nats,"
                f" allowed {per_text:g}. {STORED if stored else COMPUTED}"
            )
    first = FirstStep(float(torch.cat(losses).mean()), float(torch.cat(known).mean()), largest, per_text)
    if not abs(first.loss - first.known) <= per_loss * max(1.0, abs(first.known)):
        raise ModelError(
            f"first step: the loss is {first.loss:.6f} and must be {first.known:.6f}. {STORED if stored else COMPUTED}"
        )
    return first


def check_token_counts(rows: Dataset, renderer: Renderer) -> None:
    """Raise ModelError when a text of the first rows is not as many tokens as its stored log-probability was summed of.

    Rows without counts (written before they were kept, or elsewhere) say nothing.
    """
    for row in (rows[i] for i in range(min(ROWS, len(rows)))):
        for name, side in zip(COUNTS, renderer.pair(row), strict=True):
            counted = len(renderer.processor.tokenizer(side.completion, add_special_tokens=False)["input_ids"])
            if row.get(name) is not None and row[name] != counted:
                raise ModelError(
                    f"row {row['id']}: a text has {counted} tokens and had {row[name]} when it was written ({name})."
                    f" {STORED}"
                )


def check_reference(model: Any, parent: Path | None) -> str | None:
    """Return the sha256 of the adapter that the frozen reference was found to equal; None where it is the base.

    Raises ModelError when the reference holds other weights: Eq. 7 would measure the policy against another model.
    """
    if parent is None:
        if "ref" in model.peft_config:
            raise ModelError(f"reference: it is an adapter and must be the base. {MOVED}")
        return None
    path = parent / "adapter_model.safetensors"
    frozen = get_peft_model_state_dict(model, adapter_name="ref") if "ref" in model.peft_config else {}
    if weights_digest(frozen) != weights_digest(load_file(path)):
        raise ModelError(
            f"reference: its weights are not those of {shown(parent)}, the adapter of the round before. Likely: TRL"
            " or PEFT changed how a loaded adapter becomes the reference. Install the versions of the constraints file."
        )
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """Return a digest of names, shapes and values, for any file and float type."""
    digest = sha256()
    for name in sorted(weights):
        digest.update(f"{name} {tuple(weights[name].shape)} ".encode())
        digest.update(weights[name].detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _batches(trainer: MarginDPOTrainer) -> Iterator[tuple[list[Any], dict[str, Any], Tensor, Tensor, Tensor]]:
    size = trainer.args.per_device_train_batch_size
    rows: Any = trainer.train_dataset
    first = [rows[i] for i in range(min(ROWS, len(rows)))]
    trainer.model.eval()
    for start in range(0, len(first), size):
        few = first[start : start + size]
        inputs = trainer._prepare_inputs(trainer.data_collator(few))
        with torch.no_grad(), trainer.compute_loss_context_manager():
            logps, _ = trainer.pair_logps(trainer.model, inputs)
            losses = trainer.preference_losses(logps, inputs)
            known = _known(trainer, logps, inputs)
        gap = torch.cat((logps.chosen - logps.ref_chosen, logps.rejected - logps.ref_rejected)).abs()
        yield few, inputs, losses, known, gap


def _known(trainer: MarginDPOTrainer, logps: PairLogps, inputs: dict[str, Any]) -> Tensor:
    """Return the losses of a policy that equals its reference; an objective of the user's own says its own."""
    if type(trainer).preference_losses is not MarginDPOTrainer.preference_losses:
        return trainer.preference_losses(replace(logps, chosen=logps.ref_chosen, rejected=logps.ref_rejected), inputs)
    nothing = torch.zeros_like(logps.chosen)
    return pair_losses(nothing, nothing, inputs["margin"], inputs["weight"], trainer.beta)
