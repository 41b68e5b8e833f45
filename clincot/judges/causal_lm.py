"""Statements -> scores in [0, 1]: what a text-only language model replies, from one reading of each prompt.

What the prompts of a call share (rubric, question, findings) is read once; a reply is weighed as the next token, or
written out in the scoring mode `generated` (`scoring.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from operator import mul
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from clincot.errors import ModelError
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.room import JudgeRoom
from clincot.judges.scoring import REPLY_TOKENS, mode_of, written_digit
from clincot.lm.choice_tokens import Paths, ReplyTokens
from clincot.lm.decoding import decode
from clincot.lm.ends import end_ids
from clincot.lm.halving import in_halves
from clincot.lm.lengths import context_length
from clincot.lm.loading import load_weights, no_text_ids
from clincot.lm.prefix_cache import PrefixCache, Started, can_share, window
from clincot.lm.requests import Counters, GenerateRequest
from clincot.lm.sampling import Sampler
from clincot.lm.segments import Prompt, Segment
from clincot.lm.spaces import After, after_spaces, path_weights, pieces
from clincot.lm.tokenizer_files import read_tokenizer
from clincot.lm.trunks import with_trunks
from clincot.recipe.load import DEFAULT, Load

CACHE_BYTES = 2 * 2**30
SPACED = "+space"  # in the key of a judge whose replies are weighed after a space piece too
PLAIN = {"add_special_tokens": False, "verbose": False}  # a long prompt is counted, and needs no warning


class CausalLMJudge:
    """One causal LM as a judge; `name` is its repository, `key` its pinned version, `counters` what was computed."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        name: str,
        key: str,
        batch_size: int,
        scoring: str = "expected",
        share: bool = True,
        prefill: str = "",
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.name = name
        self.batch_size = batch_size
        self.scoring = scoring
        self.share = share
        self.counters = Counters()
        self._way = mode_of(scoring)
        self._room = JudgeRoom(tokenizer, self._way, context_length(model), prefill)
        self._replies = ReplyTokens(tokenizer, f"judge {name}", self._way.replies)
        # Refuses a vocabulary that lacks a reply.
        probed = self._replies(self.reads(JudgeRequest("?", None, (), "?")))
        self.key = key + SPACED if pieces(probed) else key
        pad = next(i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id, 0) if i is not None)
        self._prefixes = PrefixCache(model, pad, self.counters, CACHE_BYTES)
        self._stops = frozenset(end_ids(tokenizer, model.generation_config, model.config))
        self._suppressed = no_text_ids(tokenizer, model.get_output_embeddings().out_features, self._stops)

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        name: str,
        key: str,
        batch_size: int,
        threads: int | None = None,
        load: Load = DEFAULT,
        scoring: str = "expected",
        share: bool = True,
        prefill: str = "",
    ) -> CausalLMJudge:
        """Load a folder; `threads` is set for the whole process (None: leave), `share=False` reads every prompt whole.
        `prefill` is how every reply begins: it ends the prompt.

        Raises ModelError for a folder that is no causal LM, lacks weights, or has no token for a reply.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        model = load_weights(AutoModelForCausalLM, Path(folder), load, "judge")
        if not can_share(model):
            kind = model.config.model_type
            raise ModelError(
                f"judge {name}: {kind!r} attends in a way that is not supported. Name a Llama- or Mistral-like."
            )
        tokenizer = read_tokenizer(folder, "judge")
        own: dict[str, Any] = {"batch_size": batch_size, "scoring": scoring, "share": share, "prefill": prefill}
        return cls(model, tokenizer, name=name, key=key, **own)

    def in_mode(self, scoring: str) -> CausalLMJudge:
        """Return the same model with another scoring mode."""
        own: dict[str, Any] = {"name": self.name, "key": self.key.removesuffix(SPACED), "batch_size": self.batch_size}
        own |= {"scoring": scoring, "share": self.share, "prefill": self._room.prefill}
        return CausalLMJudge(self.model, self.tokenizer, **own)

    @property
    def weights(self) -> torch.nn.Module:
        """Return what a GPU must hold while this judge computes (lm/parking.py)."""
        model: torch.nn.Module = self.model
        return model

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        """Rate `requests`, in their order; equal prompts are read once.

        What cannot be read is a failure: value None; so is a prompt beyond the context, which is `too_long`.
        """
        texts = [self.reads(request) for request in requests]
        # Sorted, so that the batches depend on what is asked and not on the order.
        asked = sorted(dict(zip(texts, requests, strict=True)).items())
        ids = {text: tuple(self.tokenizer(text, **PLAIN)["input_ids"]) for text, _ in asked}
        distinct = [(text, request) for text, request in asked if not self._room.beyond(len(ids[text]))]
        ratings = dict.fromkeys(ids, Rating(None, 0.0, too_long=True))
        prompts = self._prompts([request for _, request in distinct], [ids[text] for text, _ in distinct])
        order = sorted(zip(prompts, (text for text, _ in distinct), strict=True), key=lambda e: (e[0].order, e[1]))
        for start in range(0, len(order), self.batch_size):
            part = order[start : start + self.batch_size]
            rated = in_halves(part, self._rate_batch, self.counters)
            ratings.update(zip((text for _, text in part), rated, strict=True))
        # Trunks of one call never serve the next: equal calls give equal digits after any other calls.
        self._prefixes.forget()
        return [ratings[text] for text in texts]

    def reads(self, request: JudgeRequest) -> str:
        """Return the prompt of a request."""
        return self._room.reads(request)

    def too_long(self, requests: Sequence[JudgeRequest]) -> list[bool]:
        """Return, for each request, whether it exceeds the context, without reading it."""
        return self._room.too_long(requests)

    def _prompts(self, requests: Sequence[JudgeRequest], ids: Sequence[tuple[int, ...]]) -> list[Prompt]:
        longest = max(map(len, ids), default=0)
        # Trunk and rest are each padded to the longest of a batch, so a row spans at most twice the longest prompt.
        # A reply may begin with a space piece, which is one token more.
        if not self.share or 2 * longest + self._room.written >= window(self.model):
            return [Prompt((), Segment(own)) for own in ids]
        questions = [(r.question, r.reference) for r in requests]
        states = [(*q, r.findings) for q, r in zip(questions, requests, strict=True)]
        regions = [(*s, r.facts) for s, r in zip(states, requests, strict=True)]
        return with_trunks(ids, [[None] * len(ids), questions, states, regions])

    def _rate_batch(self, entries: Sequence[tuple[Prompt, str]]) -> list[Rating]:
        started = self._prefixes.start([prompt for prompt, _ in entries])
        if not self._way.replies:
            return self._write(started, len(entries))
        self.counters.scored_choices += len(entries)
        paths = [self._replies(text) for _, text in entries]
        probabilities = started.logits.double().softmax(-1)
        later = after_spaces(self.model, started, [[*chain(*own)] for own in paths], self.counters)
        after = {place: logits.double().softmax(-1) for place, logits in later.items()}
        return [self._rating(probabilities[row], row, own, after) for row, own in enumerate(paths)]

    def _rating(self, probabilities: Tensor, row: int, paths: Paths, after: After) -> Rating:
        known = path_weights(probabilities, row, chain(*paths), after, mul)
        return self._way.weigh([sum(known[path] for path in sorted(own, key=len)) for own in paths])

    def _write(self, started: Started, rows: int) -> list[Rating]:
        greedy = GenerateRequest((), (), seed=0, temperature=0.0, top_p=1.0, max_new_tokens=REPLY_TOKENS)
        sampler = Sampler([greedy] * rows, self._stops, self._suppressed, self.model.device)
        decode(self.model, started, sampler, self.counters)
        self.counters.generated_texts += rows
        written = sampler.completions(self.tokenizer)
        return [written_digit(c.text, math.exp(c.logp), cut=c.finish == "length") for c in written]
