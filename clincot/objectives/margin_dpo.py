"""Batches of preference pairs -> the margin DPO loss and its metrics (Eq. 7), as a TRL trainer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from torch.distributed.fsdp import FSDPModule
from trl import DPOTrainer

from clincot.objectives._finite import FiniteGradients, check_loss
from clincot.objectives.collator import IMAGE_KEYS, NOISED, PAIR_KEYS, TOKEN_WEIGHTS
from clincot.objectives.features import FeatureCache
from clincot.objectives.head import own_logits
from clincot.objectives.margin import pair_losses
from clincot.objectives.packing import TREE_KEYS
from clincot.objectives.rates import OwnRate
from clincot.objectives.sums import text_lengths, text_nll, text_sums
from clincot.objectives.tree import PADDING
from clincot.recipe import Train

OWN_KEYS = (*PAIR_KEYS, *TREE_KEYS, IMAGE_KEYS, NOISED, TOKEN_WEIGHTS)


@dataclass(frozen=True)
class PairLogps:
    """Log-probabilities of whole texts (nats, end token included), (pairs,); `nll` is the chosen texts' token mean.

    Where rows weigh tokens, all but `nll` are weighed sums.
    """

    chosen: Tensor
    rejected: Tensor
    ref_chosen: Tensor
    ref_rejected: Tensor
    nll: Tensor


class MarginDPOTrainer(OwnRate, DPOTrainer):
    """loss = mean(weight * -log sigmoid(beta * (gain - loss) - margin)) + nll_weight * NLL(chosen).

    Bit-equal to DPOTrainer at margin 0, weight 1 and equal images (tests/objectives/test_margin_dpo.py is the tripwire
    for a TRL upgrade). Batches come from PairCollator; with its `ref_*_logp` the reference is read, else computed.
    """

    model: Any
    REFERENCE: tuple[str, ...] = ("ref_chosen_logp", "ref_rejected_logp")

    @classmethod
    def options(cls, train: Train) -> dict[str, Any]:
        """Return what this trainer is made with in addition to what every TRL trainer gets."""
        return {"nll_weight": train.nll_weight}

    @classmethod
    def check_rows(cls, rows: Dataset) -> None:
        """Raise DataError for rows that this objective cannot be trained on, before a model is loaded."""

    def __init__(self, *args: Any, nll_weight: float = 0.0, features: FeatureCache | None = None, **kwargs: Any):
        self.nll_weight, self.features = nll_weight, features
        self.rows_read: list[str] = []
        with own_logits(kwargs["model"]):
            super().__init__(*args, **kwargs)
        self.add_callback(FiniteGradients(self, "train.dpo.learning_rate"))

    def take(self, rows: Dataset, collator: Any) -> None:
        """Train on these elements and this collator instead of those that the trainer was made with."""
        self.train_dataset, self.data_collator = rows, collator

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write nothing: TRL's card would replace the round's own at every save."""

    def _send_telemetry(self) -> None:
        """Send nothing: a run on clinical data stays where it is."""

    def _prepare_input(self, data: Any) -> Any:
        """As in transformers; a model that FSDP has not cut over the GPUs yet is in CPU memory, where it is checked."""
        if self.is_fsdp_enabled and isinstance(data, Tensor) and not isinstance(self.model, FSDPModule):
            return data.to(self.model.device)
        return super()._prepare_input(data)

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """As in TRL, which would hand keys that it does not know to the model, and which knows no trees."""
        seen: list[Tensor] = []

        def forward(**known: Any) -> Any:
            outputs = model(**known)
            seen.append(outputs.log_probs)
            return outputs

        found = self.under_reference(forward, inputs)
        if "owner" in inputs or TOKEN_WEIGHTS in inputs:
            return text_sums(seen[0][:, -(inputs["completion_mask"].size(1) - 1) :], inputs)
        return found

    def under_reference(self, forward: Callable[..., Any], inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Call `forward` as TRL would call the model, with the reference's weights and without gradients."""
        found: tuple[Tensor, Tensor] = super().compute_ref_log_probs(forward, self._known(inputs))
        return found

    def pair_logps(self, model: Any, inputs: dict[str, Any]) -> tuple[PairLogps, Any]:
        """Return the log-probabilities under policy and reference, and the model's outputs."""
        mask = inputs["completion_mask"]
        known = {k: v for k, v in self._known(inputs).items() if k != "completion_mask"}
        labels = inputs["input_ids"].masked_fill(mask == 0, -100)
        outputs = model(**known, **self._router(), use_cache=False, labels=labels, fused_lm_head=True)
        per_token = outputs.log_probs[:, -(mask.size(1) - 1) :]
        chosen, rejected = text_sums(per_token, inputs)
        ref_chosen, ref_rejected = self.reference(inputs)
        return PairLogps(chosen, rejected, ref_chosen, ref_rejected, text_nll(per_token, inputs)), outputs

    def _router(self) -> dict[str, bool]:
        """As in TRL: models of experts return their load-balancing loss when the call asks for router logits."""
        return {"output_router_logits": True} if self.aux_loss_enabled else {}

    def _known(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """What the model knows, the images as features where these are kept."""
        known = {k: v for k, v in inputs.items() if k not in OWN_KEYS}
        if self.features is not None and IMAGE_KEYS in inputs and self.features.reads(inputs):
            pixels = known.pop("pixel_values")
            known["mm_encoder_outputs"] = self.features(self._encoder(), inputs[IMAGE_KEYS], pixels)
        return known

    def _encoder(self) -> Any:
        model = self.accelerator.unwrap_model(self.model)
        return model.get_base_model() if hasattr(model, "get_base_model") else model

    def reference(self, inputs: dict[str, Any]) -> tuple[Tensor, ...]:
        """Return the reference's log-probabilities in the order of REFERENCE, (pairs,) each.

        The stored ones, computed where they are NaN or absent.
        """
        stored: list[Tensor | None] = [inputs.get(name) for name in self.REFERENCE]
        known = [value for value in stored if value is not None and not bool(value.isnan().any())]
        if len(known) == len(stored):
            return tuple(known)
        found = self.compute_ref_log_probs(self.ref_model or self.model, inputs)
        pairs = zip(stored, found, strict=True)
        return tuple(new if held is None else torch.where(held.isnan(), new, held) for held, new in pairs)

    def preference_losses(self, logps: PairLogps, inputs: dict[str, Any]) -> Tensor:
        """Return Eq. 7 for each pair, weighted, without the NLL term."""
        gain, loss = logps.chosen - logps.ref_chosen, logps.rejected - logps.ref_rejected
        return pair_losses(gain, loss, inputs["margin"], inputs["weight"], self.beta)

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        logps, outputs = self.pair_logps(model, inputs)
        loss = self.preference_losses(logps, inputs).mean()
        if self.nll_weight:
            loss = loss + self.nll_weight * logps.nll
        if self.aux_loss_enabled:
            loss = loss + self.router_aux_loss_coef * outputs.aux_loss
            mode = "train" if self.model.training else "eval"
            self._metrics[mode]["aux_loss"].append(self.accelerator.gather(outputs.aux_loss.detach()).mean().item())
        check_loss(loss, self.state.global_step + 1, inputs["row_ids"], "train.dpo.learning_rate")
        self.rows_read += inputs["row_ids"]
        self._record(logps, inputs)
        if return_outputs:  # the fused head makes no logits, which `compute_metrics` reads
            known = {k: v for k, v in self._known(inputs).items() if k != "completion_mask"}
            with torch.no_grad():
                outputs = model(**known, use_cache=False)
        return (loss, outputs) if return_outputs else loss

    def _record(self, logps: PairLogps, inputs: dict[str, Any]) -> None:
        mode = "train" if self.model.training else "eval"
        gain = self.beta * (logps.chosen - logps.ref_chosen).detach()
        loss = self.beta * (logps.rejected - logps.ref_rejected).detach()
        lengths = text_lengths(inputs)
        values = {
            "rewards/chosen": gain,
            "rewards/rejected": loss,
            "rewards/margins": gain - loss,
            "rewards/accuracies": (gain > loss).float(),
            "rewards/margin_required": inputs["margin"],
            "rewards/margin_satisfied": (gain - loss > inputs["margin"]).float(),
            # The texts were drawn from the reference, so this estimates KL(reference || policy), nats per text.
            "kl": -(gain + loss) / (2 * self.beta),
            "nll": logps.nll.detach(),
            "logps/chosen": logps.chosen.detach(),
            "logps/rejected": logps.rejected.detach(),
            "tokens/chosen": lengths[0],
            "tokens/rejected": lengths[1],
        }
        for name, value in values.items():
            # The mean first: with groups, processes hold different numbers of pairs.
            self._metrics[mode][name].append(self.accelerator.gather(value.mean()).mean().item())
        if mode == "train":
            read = inputs["owner"] != PADDING if "owner" in inputs else inputs["attention_mask"]
            self._total_train_tokens += int(self.accelerator.gather(read.sum()).sum())
        self._metrics[mode]["num_tokens"] = [self._total_train_tokens]
