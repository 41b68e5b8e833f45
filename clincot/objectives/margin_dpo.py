"""Batches of preference pairs -> the margin DPO loss and its metrics (Eq. 7), as a TRL trainer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributed.fsdp import FSDPModule
from trl import DPOTrainer

from clincot.objectives._finite import FiniteGradients, check_loss
from clincot.objectives.collator import IMAGE_KEYS, PAIR_KEYS, TOKEN_WEIGHTS
from clincot.objectives.features import FeatureCache
from clincot.objectives.head import own_logits
from clincot.objectives.margin import pair_losses
from clincot.objectives.packing import TREE_KEYS
from clincot.objectives.rates import OwnRate
from clincot.objectives.tree import PADDING

OWN_KEYS = (*PAIR_KEYS, *TREE_KEYS, IMAGE_KEYS, TOKEN_WEIGHTS)


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

    def __init__(self, *args: Any, nll_weight: float = 0.0, features: FeatureCache | None = None, **kwargs: Any):
        self.nll_weight, self.features = nll_weight, features
        self.rows_read: list[str] = []
        with own_logits(kwargs["model"]):
            super().__init__(*args, **kwargs)
        self.add_callback(FiniteGradients(self, "train.dpo.learning_rate"))

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

        found = super().compute_ref_log_probs(forward, self._known(inputs))
        if "owner" in inputs or TOKEN_WEIGHTS in inputs:
            return _sums(seen[0][:, -(inputs["completion_mask"].size(1) - 1) :], inputs)
        return found

    def pair_logps(self, model: Any, inputs: dict[str, Any]) -> tuple[PairLogps, Any]:
        """Return the log-probabilities under policy and reference, and the model's outputs."""
        mask = inputs["completion_mask"]
        known = {k: v for k, v in self._known(inputs).items() if k != "completion_mask"}
        labels = inputs["input_ids"].masked_fill(mask == 0, -100)
        # As in TRL: models of experts return their load-balancing loss when the call asks for router logits.
        router = {"output_router_logits": True} if self.aux_loss_enabled else {}
        outputs = model(**known, **router, use_cache=False, labels=labels, fused_lm_head=True)
        per_token = outputs.log_probs[:, -(mask.size(1) - 1) :]
        if "owner" in inputs:
            nll = -_of_sides(per_token, inputs)[0].sum() / _lengths(inputs)[0].sum()
        else:
            nll = -per_token.chunk(2)[0][mask[:, 1:].chunk(2)[0].bool()].mean()
        chosen, rejected = _sums(per_token, inputs)
        return PairLogps(chosen, rejected, *self.reference(inputs), nll), outputs

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

    def reference(self, inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Return the reference's log-probabilities, (pairs,) each: the stored ones, computed where they are NaN."""
        stored = [inputs[name] for name in ("ref_chosen_logp", "ref_rejected_logp") if name in inputs]
        if stored and not any(bool(value.isnan().any()) for value in stored):
            return stored[0], stored[1]
        chosen, rejected = self.compute_ref_log_probs(self.ref_model or self.model, inputs)
        if not stored:
            return chosen, rejected
        return torch.where(stored[0].isnan(), chosen, stored[0]), torch.where(stored[1].isnan(), rejected, stored[1])

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
        lengths = _lengths(inputs)
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


def _by_text(per_token: Tensor, inputs: dict[str, Any]) -> Tensor:
    """Sum the values of predicted tokens, (rows, tokens - 1), for each text: (texts,)."""
    owner = inputs["owner"][:, 1:]
    texts = int(torch.maximum(inputs["chosen_text"], inputs["rejected_text"]).max()) + 1
    # The last place takes what no text owns; those log-probabilities are 0.
    sums = per_token.new_zeros(texts + 1).index_add(
        0, owner.clamp(min=-1).remainder(texts + 1).flatten(), per_token.flatten()
    )
    return sums[:-1]


def _of_sides(per_token: Tensor, inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
    sums = _by_text(per_token, inputs)
    return sums[inputs["chosen_text"]], sums[inputs["rejected_text"]]


def _sums(per_token: Tensor, inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Return the log-probabilities of the chosen and rejected texts, (pairs,) each; tokens count by their weights."""
    if TOKEN_WEIGHTS in inputs:
        per_token = per_token * inputs[TOKEN_WEIGHTS][:, 1:]
    if "owner" in inputs:
        return _of_sides(per_token, inputs)
    chosen, rejected = per_token.sum(dim=1).chunk(2)
    return chosen, rejected


def _lengths(inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Return the tokens of the chosen and the rejected texts, (pairs,) each."""
    if "owner" in inputs:
        return _of_sides(inputs["completion_mask"][:, 1:].float(), inputs)
    chosen, rejected = inputs["completion_mask"].sum(1).float().chunk(2)
    return chosen, rejected
