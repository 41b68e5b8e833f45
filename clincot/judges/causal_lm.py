"""Statements -> scores in [0, 1]: the digit a text-only language model is expected to reply, from one reading each.

s = sum(v * p_v) / (9 * sum(p_v)) over the digits v, after G-Eval's expectation: generated digits saturate, and 26 % of
pairs tie (methods.md 5). What the prompts of a call share (rubric, question, findings) is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from clincot.engines._choices import ChoiceTokens
from clincot.engines._counters import Counters, in_halves
from clincot.engines._loading import context_length, load_weights, pick_device
from clincot.engines._prefix import PrefixCache, can_share, window
from clincot.engines._reading import Prompt, Segment
from clincot.errors import ModelError
from clincot.judges._reading import render
from clincot.judges._stretches import with_trunks
from clincot.judges.base import JudgeRequest, Rating
from clincot.prompts import judge_messages

DIGITS = tuple(str(v) for v in range(10))
CHOICES = DIGITS + tuple(f" {d}" for d in DIGITS)  # vocabularies differ in whether a digit carries its space
LEAST_MASS = 0.1  # below it the model was not replying with a digit (methods.md 5)
CACHE_BYTES = 2 * 2**30


class CausalLMJudge:
    """One causal LM as a judge; `name` is its repository, `key` its pinned version, `counters` what was computed."""

    def __init__(self, model: Any, tokenizer: Any, *, name: str, key: str, batch_size: int, share: bool = True) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.name = name
        self.key = key
        self.batch_size = batch_size
        self.share = share
        self.counters = Counters()
        self._context = context_length(model)
        pad = next(i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id, 0) if i is not None)
        self._prefixes = PrefixCache(model, pad, self.counters, CACHE_BYTES)
        self._digits = ChoiceTokens(tokenizer, f"judge {name}")
        self._refuse_without_digits()

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        name: str,
        key: str,
        batch_size: int,
        threads: int | None = None,
        dtype: str = "auto",
        device: str | None = None,
        share: bool = True,
    ) -> CausalLMJudge:
        """Load a folder; `threads` is set for the whole process (None: leave), `share=False` reads every prompt whole.

        Raises ModelError for a folder that is no causal LM, lacks weights, or has no token for a digit.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        model = load_weights(AutoModelForCausalLM, Path(folder), dtype, "judge").to(pick_device(device)).eval()
        if not can_share(model):
            kind = model.config.model_type
            raise ModelError(
                f"judge {name}: {kind!r} attends in a way that is not supported. Name a Llama- or Mistral-like."
            )
        tokenizer = AutoTokenizer.from_pretrained(folder)
        return cls(model, tokenizer, name=name, key=key, batch_size=batch_size, share=share)

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        """Rate `requests`, in their order; equal ones are read once. Raises ModelError for a prompt beyond the context.

        A rating whose mass is under LEAST_MASS is a failure: value None.
        """
        # Sorted, so that the batches depend on what is asked and not on the order.
        distinct = sorted(set(requests), key=repr)
        texts = [self._text(request) for request in distinct]
        prompts = self._prompts(distinct, texts)
        ratings: dict[JudgeRequest, Rating] = {}
        order = sorted(range(len(distinct)), key=lambda place: (prompts[place].order, place))
        for start in range(0, len(order), self.batch_size):
            part = order[start : start + self.batch_size]
            rated = in_halves([(prompts[place], texts[place]) for place in part], self._rate_batch, self.counters)
            ratings.update(zip((distinct[place] for place in part), rated, strict=True))
        # Trunks of one call never serve the next: equal calls give equal digits, whatever came before.
        self._prefixes.forget()
        return [ratings[request] for request in requests]

    def _text(self, request: JudgeRequest) -> str:
        messages = judge_messages(
            request.question, request.reference, request.findings, request.statement, report=request.report
        )
        return render(self.tokenizer, messages)

    def _prompts(self, requests: Sequence[JudgeRequest], texts: Sequence[str]) -> list[Prompt]:
        ids = [tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts]
        longest = max(map(len, ids), default=0)
        if longest >= self._context:
            raise ModelError(
                f"judge {self.name}: a prompt of {longest} tokens exceeds its context of {self._context}."
                " Lower build.max_new_tokens, or name a judge with a longer context."
            )
        # Trunk and rest are each padded to the longest of a batch, so a row spans at most twice the longest prompt.
        if not self.share or 2 * longest > window(self.model):
            return [Prompt((), Segment(own)) for own in ids]
        questions = [(r.question, r.reference) for r in requests]
        return with_trunks(
            ids, [[None] * len(ids), questions, [(*q, r.findings) for q, r in zip(questions, requests, strict=True)]]
        )

    def _rate_batch(self, entries: Sequence[tuple[Prompt, str]]) -> list[Rating]:
        logits = self._prefixes.start([prompt for prompt, _ in entries]).logits
        self.counters.scored_choices += len(entries)
        probabilities = logits.double().softmax(-1)
        return [self._rating(row, text) for row, (_, text) in zip(probabilities, entries, strict=True)]

    def _rating(self, probabilities: Tensor, text: str) -> Rating:
        ids = self._digits(text, CHOICES)
        by_digit = [float(probabilities[sorted({ids[v], ids[v + 10]})].sum()) for v in range(10)]
        return expected_digit(by_digit)

    def _refuse_without_digits(self) -> None:
        ids = self._digits(self._text(JudgeRequest("?", None, (), "?")), CHOICES)
        if len(set(ids[:10])) < 10:
            raise ModelError(
                f"judge {self.name}: its vocabulary does not tell the ten digits apart. Name another model."
            )


def expected_digit(by_digit: Sequence[float]) -> Rating:
    """Turn the probabilities of the replies 0 to 9 into a rating; under LEAST_MASS it has no value."""
    mass = sum(by_digit)
    if mass < LEAST_MASS:
        return Rating(None, mass)
    return Rating(sum(v * p for v, p in enumerate(by_digit)) / (9 * mass), mass)
