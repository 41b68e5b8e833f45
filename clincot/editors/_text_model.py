"""The folder of a causal language model -> an engine's `generate` for prompts of one user turn without images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from clincot.errors import ModelError
from clincot.lm.decoding import decode
from clincot.lm.ends import end_ids
from clincot.lm.escaping import escape_of
from clincot.lm.halving import in_halves
from clincot.lm.lengths import context_length
from clincot.lm.loading import load_weights, no_text_ids
from clincot.lm.prefix_cache import PrefixCache, can_share
from clincot.lm.requests import TOO_LONG, Completion, Counters, GenerateRequest
from clincot.lm.sampling import Sampler
from clincot.lm.segments import Prompt, Segment
from clincot.lm.tokenizer_files import read_tokenizer
from clincot.recipe.load import DEFAULT, Load

UNWRITTEN = Completion("", math.nan, 0, "failed", retokenises=False, failure=TOO_LONG)


class TextModel:
    """One causal LM that writes; `counters` counts what was computed."""

    def __init__(self, model: Any, tokenizer: Any, *, batch_size: int) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self.counters = Counters()
        self._escape = escape_of(tokenizer)
        self._stops = frozenset(end_ids(tokenizer, model.generation_config, model.config))
        self._suppressed = no_text_ids(tokenizer, model.get_output_embeddings().out_features, self._stops)
        pad = next(i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id, 0) if i is not None)
        self._prefixes = PrefixCache(model, pad, self.counters, 0)

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *, batch_size: int, threads: int | None = None, load: Load = DEFAULT
    ) -> TextModel:
        """Load a folder; raises ModelError for one that is no causal LM with a chat template."""
        if threads is not None:
            torch.set_num_threads(threads)
        model, tokenizer = (
            load_weights(AutoModelForCausalLM, Path(folder), load, "editor"),
            read_tokenizer(folder, "editor"),
        )
        if not can_share(model):
            raise ModelError(
                f"editor: {model.config.model_type!r} attends in a way that is not supported. Name another."
            )
        if getattr(tokenizer, "chat_template", None) is None:
            raise ModelError("editor: its tokenizer has no chat template. Name a model that takes instructions.")
        return cls(model, tokenizer, batch_size=batch_size)

    @property
    def weights(self) -> torch.nn.Module:
        """Return what a GPU must hold while this model computes (lm/parking.py)."""
        model: torch.nn.Module = self.model
        return model

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        """Write one text per request, in their order; a prompt beyond the context has the failure TOO_LONG."""
        ids = [self._ids(request) for request in requests]
        room = context_length(self.model)
        fits = [i for i, request in enumerate(requests) if len(ids[i]) + request.max_new_tokens <= room]
        written = dict.fromkeys(range(len(requests)), UNWRITTEN)
        # Sorted by content, so that the batches depend on what is asked and not on the order.
        order = sorted(fits, key=lambda i: (len(ids[i]), ids[i], requests[i].seed))
        for start in range(0, len(order), self.batch_size):
            part = order[start : start + self.batch_size]
            done = in_halves([(requests[i], ids[i]) for i in part], self._write, self.counters)
            written |= dict(zip(part, done, strict=True))
        self.counters.generated_texts += len(requests)
        return [written[i] for i in range(len(requests))]

    def _ids(self, request: GenerateRequest) -> tuple[int, ...]:
        texts = ["\n".join(block["text"] for block in message["content"]) for message in request.messages]
        plain = [{**message, "content": text} for message, text in zip(request.messages, texts, strict=True)]
        prompt = self.tokenizer.apply_chat_template(
            self._escape.messages(plain), add_generation_prompt=True, tokenize=False
        )
        return tuple(self.tokenizer(prompt, add_special_tokens=False)["input_ids"])

    def _write(self, entries: Sequence[tuple[GenerateRequest, tuple[int, ...]]]) -> list[Completion]:
        sampler = Sampler([request for request, _ in entries], self._stops, self._suppressed, self.model.device)
        started = self._prefixes.start([Prompt((), Segment(ids)) for _, ids in entries])
        decode(self.model, started, sampler, self.counters)
        self._prefixes.forget()
        return [replace(done, retokenises=False) for done in sampler.completions(self.tokenizer)]
