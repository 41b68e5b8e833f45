"""A trainer whose reference is the initial policy, not the round's start -> that reference, and its known answer.

The loss of the first step is then not the one of equal policies. It is computed a second time instead, from the whole
logits of both policies over two rows a pair, without the fused head, the layout of rows and TRL.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import set_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor
from trl.trainer.utils import use_adapter

from clincot.objectives.collator import TOKEN_WEIGHTS
from clincot.objectives.margin_dpo import OWN_KEYS, MarginDPOTrainer, PairLogps

WEIGHTS = "adapter_model.safetensors"


def use_initial(model: Any, initial: Path | None) -> None:
    """Make the adapter `initial`, or None for the base itself, the reference of a model that continues an adapter."""
    if initial is None:
        model.delete_adapter("ref")  # TRL then switches the adapter off for the reference
        return
    set_peft_model_state_dict(model, load_file(initial / WEIGHTS), adapter_name="ref")


def second_losses(trainer: MarginDPOTrainer, rows: list[Any]) -> Tensor:
    """Return the loss of each pair of `rows`, elements of the trainer's dataset, computed without its forward pass."""
    collator: Any = trainer.data_collator
    pairs = getattr(collator, "pairs", collator)
    plain = [row for element in rows for row in collator.rows(element)] if hasattr(collator, "rows") else rows
    inputs = trainer._prepare_inputs(pairs(plain))
    model = trainer.accelerator.unwrap_model(trainer.model)
    policy = _text_logps(model, inputs)
    with use_adapter(model, adapter_name="ref" if "ref" in model.peft_config else None):
        reference = _text_logps(model, inputs)
    chosen, rejected, ref_chosen, ref_rejected = (*policy.chunk(2), *reference.chunk(2))
    logps = PairLogps(chosen, rejected, ref_chosen, ref_rejected, nll=torch.zeros(()))
    return trainer.preference_losses(logps, inputs)


@torch.no_grad()
def _text_logps(model: Any, inputs: dict[str, Any]) -> Tensor:
    """Return the log-probability of each text (nats), from whole logits in float32."""
    mask = inputs["completion_mask"][:, 1:]
    known = {name: value for name, value in inputs.items() if name not in (*OWN_KEYS, "completion_mask")}
    logits = model(**known, use_cache=False).logits[:, :-1].float()
    chosen = torch.log_softmax(logits, -1).gather(2, inputs["input_ids"][:, 1:, None])[..., 0]
    if TOKEN_WEIGHTS in inputs:
        chosen = chosen * inputs[TOKEN_WEIGHTS][:, 1:]
    return (chosen * mask).sum(1)
