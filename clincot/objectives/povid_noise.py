"""Pairs and the policy's own mistakes under noise -> the loss of POVID's second stage, as a TRL trainer."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from clincot.objectives.collator import NOISED, PairCollator
from clincot.objectives.margin import pair_losses
from clincot.objectives.margin_dpo import MarginDPOTrainer, PairLogps
from clincot.objectives.noise import Noise
from clincot.objectives.sums import text_nll, text_sums
from clincot.recipe import InherentNoise, Train


@dataclass(frozen=True)
class InherentLogps(PairLogps):
    """Also of the inherent text: what each policy writes at each place of the chosen text under noise; (pairs,)."""

    inherent: Tensor
    ref_inherent: Tensor


class PovidNoiseTrainer(MarginDPOTrainer):
    """loss = (1 - w) * DPO(chosen, rejected) + w * DPO(chosen, inherent), as the code that POVID released.

    The inherent text has, at each place of the chosen text, the likeliest token after the chosen text so far and the
    noised images. Its log-probability is read with the clean images at the same places. Policy and reference each take
    their own tokens; the choice carries no gradient. The paper's equation (arXiv 2402.11411) has one sigmoid with the
    noised image in it, and is not what the code computes.
    """

    REFERENCE = (*MarginDPOTrainer.REFERENCE, "ref_inherent_logp")

    @classmethod
    def options(cls, train: Train) -> dict[str, Any]:
        """As in `MarginDPOTrainer`, and the noise."""
        return {**super().options(train), "noise": train.noise}

    def __init__(self, *args: Any, noise: InherentNoise | None = None, **kwargs: Any):
        self.noise = noise or InherentNoise()
        kwargs["data_collator"] = _noising(kwargs["data_collator"], Noise(self.noise.strength, kwargs["args"].seed))
        super().__init__(*args, **kwargs)

    def pair_logps(self, model: Any, inputs: dict[str, Any]) -> tuple[PairLogps, Any]:
        """Return the log-probabilities under policy and reference, and the model's outputs."""
        (chosen, rejected, inherent), nll, outputs = self._read(model, inputs)
        ref_chosen, ref_rejected, ref_inherent = self.reference(inputs)
        return InherentLogps(chosen, rejected, ref_chosen, ref_rejected, nll, inherent, ref_inherent), outputs

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, ...]:  # type: ignore[override]
        """Return the reference's log-probabilities of chosen, rejected and its own inherent texts, (pairs,) each."""
        found: list[tuple[Tensor, ...]] = []

        def forward(**known: Any) -> Any:
            found.append(self._read(model, inputs)[0])
            return SimpleNamespace(log_probs=inputs["completion_mask"][:, 1:].float())  # TRL adds up what it is given

        self.under_reference(forward, inputs)
        return found[0]

    def preference_losses(self, logps: PairLogps, inputs: dict[str, Any]) -> Tensor:
        """Return both terms for each pair, weighted; a margin counts in the first alone."""
        assert isinstance(logps, InherentLogps)
        own = self.noise.weight
        gain, loss = logps.chosen - logps.ref_chosen, logps.inherent - logps.ref_inherent
        inherent = pair_losses(gain, loss, torch.zeros_like(inputs["margin"]), inputs["weight"], self.beta)
        return (1 - own) * super().preference_losses(logps, inputs) + own * inherent

    def _read(self, model: Any, inputs: dict[str, Any]) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor, Any]:
        """Return the log-probabilities of chosen, rejected and inherent texts, the chosen's mean, and the outputs."""
        with torch.no_grad():
            noised, places, _ = self._logits(model, inputs[NOISED])
            mistakes = noised[places[inputs[NOISED]["completion_mask"][:, 1:].bool()]].argmax(-1)
        logits, places, outputs = self._logits(model, inputs)
        logps = torch.log_softmax(logits.float(), -1)
        written = places >= 0
        per_token = logps.new_zeros(places.shape)
        ids = inputs["input_ids"][:, 1:][written]
        per_token[written] = logps[places[written]].gather(1, ids[:, None])[:, 0]
        rows, columns, pairs = _chosen_places(inputs)
        own = logps[places[rows, columns]].gather(1, mistakes[:, None])[:, 0]
        inherent = own.new_zeros(len(inputs["weight"])).index_add(0, pairs, own)
        return (*text_sums(per_token, inputs), inherent), text_nll(per_token, inputs), outputs

    def _logits(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, Tensor, Any]:
        """Return the logits that predict written tokens, (written, vocabulary), and which predicts each place.

        Places, (rows, tokens - 1), are -1 where nothing is written.
        """
        mask = inputs["completion_mask"][:, 1:].bool()
        at = mask.any(0).nonzero()[:, 0]
        known = {k: v for k, v in self._known(inputs).items() if k != "completion_mask"}
        fewer = "logits_to_keep" in inspect.signature(type(self._encoder()).forward).parameters
        kept = {"logits_to_keep": at} if fewer else {}
        outputs = model(**known, **self._router(), **kept, use_cache=False)
        logits = outputs.logits if fewer else outputs.logits[:, at]
        written = mask[:, at]
        places = torch.full(mask.shape, -1, device=mask.device)
        places[mask] = torch.arange(int(mask.sum()), device=mask.device)
        return logits[written], places, outputs


def _chosen_places(inputs: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    """Return row and column of each predicted token of the chosen texts, pair after pair, and its pair."""
    if "owner" not in inputs:
        rows, columns = inputs["completion_mask"][:, 1:].chunk(2)[0].nonzero(as_tuple=True)
        return rows, columns, rows
    owner = inputs["owner"][:, 1:]
    found = [(owner == text).nonzero(as_tuple=True) for text in inputs["chosen_text"]]
    pairs = [torch.full_like(rows, pair) for pair, (rows, _) in enumerate(found)]
    return torch.cat([rows for rows, _ in found]), torch.cat([columns for _, columns in found]), torch.cat(pairs)


def _noising(collator: Any, noise: Noise) -> Any:
    """Return the collator with NOISED in its batches."""
    if isinstance(collator, PairCollator):
        return replace(collator, noise=noise)
    return replace(collator, pairs=replace(collator.pairs, noise=noise))
