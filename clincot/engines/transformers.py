"""Generation and choice requests -> completions and choice log-probabilities, by a vision-language model in process.

Every distinct image is encoded once and every trunk [system][global image][region crop] is read once, then serves all
questions, steps and look-ahead responses until `forget` (docs/performance.md#generation).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from clincot.engines import _plain
from clincot.engines._image_inputs import ImageInputs
from clincot.engines._images import digests
from clincot.engines._policy import Policy, load_policy
from clincot.engines._probe import probe
from clincot.engines._reading import Written, read, render
from clincot.engines._splits import Splits
from clincot.engines._vision import VisionFeatures
from clincot.engines.base import Abilities
from clincot.engines.cache_size import default_cache
from clincot.engines.room import PolicyRoom
from clincot.lm.choice_tokens import ChoiceTokens
from clincot.lm.decoding import decode
from clincot.lm.halving import in_halves
from clincot.lm.image_fit import CropLoss, Size
from clincot.lm.prefix_cache import PrefixCache
from clincot.lm.requests import TOO_LONG, ChoiceRequest, ChoiceScores, Completion, Counters, GenerateRequest
from clincot.lm.sampling import Sampler
from clincot.lm.segments import Prompt
from clincot.lm.spaces import after_spaces, scores_of
from clincot.recipe import ImageFit
from clincot.recipe.load import DEFAULT, Load

R = TypeVar("R")
UNWRITTEN = Completion("", 0.0, 0, "failed", retokenises=False, failure=TOO_LONG)
UNSCORED = ChoiceScores((), 0.0, (), failure=TOO_LONG)


@dataclass(frozen=True)
class Entry:
    """A request at its place among the requests, with its prompt as text and as tokens."""

    place: int
    request: Any
    text: str
    prompt: Prompt


class TransformersEngine(Splits):
    """The policy of a round: a base and, from round 1 on, its adapter; `counters` counts what was computed."""

    def __init__(
        self, policy: Policy, *, batch_size: int, abilities: Abilities, cache_bytes: int | None = None
    ) -> None:
        model = policy.model
        cache_bytes = default_cache(model.device) if cache_bytes is None else cache_bytes
        self.policy = policy
        self.batch_size = batch_size
        self.abilities = abilities
        self.counters = Counters()
        self._vision = VisionFeatures(policy, batch_size, self.counters, cache_bytes)
        pad, images = model.generation_config.pad_token_id, ImageInputs(policy, self._vision)
        self._prefixes = PrefixCache(model, pad, self.counters, cache_bytes, images, branches=cache_bytes)
        self._choice_tokens = ChoiceTokens(policy.tokenizer, "policy")
        self._room = PolicyRoom(policy.processor, policy.tokenizer, policy.image_token, policy.context, policy.escape)

    @classmethod
    def from_pretrained(
        cls,
        base: str | Path,
        adapter: str | Path | None = None,
        *,
        batch_size: int,
        threads: int | None = None,
        load: Load = DEFAULT,
        share: bool = True,
        images: int = 2,
        image_fit: ImageFit = "as_is",
        cache_bytes: int | None = None,
    ) -> TransformersEngine:
        """Load folders; `threads` is set for the whole process (None: leave).

        `share=False` computes every prompt by itself. `images` is how many a prompt will hold at most (1 for
        `image_layout: canvas`), `image_fit` how they become the tower's square, `cache_bytes` how many are kept of
        trunks and as many again of what followed them.
        Raises ModelError for a base that is not a vision-language model, lacks weights or cannot take the images, and
        for an adapter that does not fit.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        policy = load_policy(Path(base), None if adapter is None else Path(adapter), load, image_fit)
        abilities = probe(policy, base, images, share=share)
        return cls(policy, batch_size=batch_size, abilities=abilities, cache_bytes=cache_bytes)

    def forget(self) -> None:
        """Drop images and trunks kept; called where a shard begins, its last digits depend on nothing before it."""
        self._vision.forget()
        self._prefixes.forget()

    @property
    def weights(self) -> torch.nn.Module:
        """Return what a GPU must hold while this engine computes (lm/parking.py)."""
        model: torch.nn.Module = self.policy.model
        return model

    def set_aside(self) -> Any:
        """Return the images and trunks kept for the shard at work, in CPU memory, and keep nothing."""
        return self._vision.set_aside(), self._prefixes.set_aside()

    def take_back(self, kept: Any) -> None:
        """Keep what was set aside again."""
        vision, prefixes = kept
        self._vision.take_back(vision)
        self._prefixes.take_back(prefixes)

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        """Write one text per request, in their order; the batches depend on what is asked, not on that order.

        A request whose prompt and new tokens exceed the model's context gets an empty text with that `failure`.
        """
        entries = self._read(requests, [request.max_new_tokens for request in requests])
        written = self._run(entries, self._generate_batch, lambda request: (request.seed, request.temperature))
        self.counters.generated_texts += len(written)
        return [written.get(place, UNWRITTEN) for place in range(len(requests))]

    def score_choices(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceScores]:
        """Weigh each request's choices as the next token, by one reading of its prompt.

        Where a reply begins with a separate space piece, the token after it counts (lm/choice_tokens.py). `mass`
        counts a token that two choices share once. A prompt beyond the context gets scores with that `failure`.
        Raises ModelError for a choice that is not a single token.
        """
        entries = self._read(requests, [1] * len(requests))
        scores = self._run(entries, self._score_batch, lambda request: request.choices)
        self.counters.scored_choices += len(scores)
        return [scores.get(place, UNSCORED) for place in range(len(requests))]

    def too_long(self, requests: Sequence[GenerateRequest]) -> list[bool]:
        """Return, for each request, whether it exceeds the context, without reading it; `images` may be left out."""
        return self._room.too_long(requests)

    def crop_loss(self, sizes: Sequence[Size]) -> CropLoss | None:
        """Return what the processor crops away of images of these sizes, None where it does not crop."""
        return self._room.crop_loss(sizes)

    def _read(self, requests: Sequence[Any], new_tokens: Sequence[int]) -> list[Entry]:
        texts = [render(self.policy, r.messages, len(r.images), r.prefill) for r in requests]
        names = digests(requests)
        written, image_id = self._written(requests, names)
        entries = []
        for place, (request, text, own) in enumerate(zip(requests, texts, names, strict=True)):
            prompt = read(self.policy, text, own, [written[name] for name in own], image_id)
            if prompt.length + new_tokens[place] <= self.policy.context:
                entries.append(Entry(place, request, text, prompt))
        return entries

    def _written(self, requests: Sequence[Any], names: Sequence[Sequence[str]]) -> tuple[dict[str, Written], int]:
        """Return what each image is in a prompt, and the id of its tokens; images are encoded for it."""
        policy = self.policy
        if not self.abilities.shared:
            # The model's own processor grows the image tokens; here one each gives the order of the batches.
            itself = Written(policy.image_token, 1)
            return dict.fromkeys(chain(*names), itself), policy.tokenizer.convert_tokens_to_ids(policy.image_token)
        images: dict[str, Any] = {}
        for request, own in zip(requests, names, strict=True):
            images.update(zip(own, request.images, strict=True))
        self._vision.encode(images)
        return {name: Written(self._vision(name).text, self._vision(name).tokens) for name in images}, policy.image_id

    def _shares(self, entries: Sequence[Entry], new: int) -> bool:
        return self.abilities.shared and self._prefixes.fits([entry.prompt for entry in entries], new)

    def _run(
        self, entries: Sequence[Entry], batch: Callable[[Sequence[Entry]], list[R]], tie: Callable[[Any], Any]
    ) -> dict[int, R]:
        """Batch `entries` by content, run `batch` on each, return the results by the places of their requests."""
        planned = sorted(entries, key=lambda entry: (entry.prompt.order, tie(entry.request)))
        results: dict[int, R] = {}
        for _, alike in groupby(planned, key=lambda entry: len(entry.request.images)):
            group = list(alike)
            for start in range(0, len(group), self.batch_size):
                part = group[start : start + self.batch_size]
                done = in_halves(part, batch, self.counters, self._prefixes.forget)
                results.update(zip((entry.place for entry in part), done, strict=True))
        return results

    def _generate_batch(self, entries: Sequence[Entry]) -> list[Completion]:
        policy = self.policy
        longest = max(entry.request.max_new_tokens for entry in entries)
        if self._shares(entries, longest):
            sampler = self._sampler(entries)
            started = self._prefixes.start([entry.prompt for entry in entries], longest)
            decode(policy.model, started, sampler, self.counters)
        else:
            inputs = _plain.inputs(policy, *_texts_and_images(entries), self.counters)
            odd = self._beyond(inputs, [entry.request.max_new_tokens for entry in entries])
            if any(odd):
                return _without(entries, odd, self._generate_batch, UNWRITTEN)
            sampler = self._sampler(entries)
            _plain.generate(policy, inputs, sampler, self.counters)
        # A text that holds a literal mark of a turn is trained with the mark broken up: its tokens are others then.
        return [
            replace(c, retokenises=c.retokenises and policy.escape(c.text) == c.text)
            for c in sampler.completions(policy.tokenizer)
        ]

    def _sampler(self, entries: Sequence[Entry]) -> Sampler:
        policy = self.policy
        return Sampler([entry.request for entry in entries], policy.stops, policy.suppressed, policy.model.device)

    def _beyond(self, inputs: Mapping[str, Tensor], new: Sequence[int]) -> list[bool]:
        """Say which prompts exceed the context once the processor has grown their image tokens."""
        lengths = inputs["attention_mask"].sum(1).tolist()
        return [length + more > self.policy.context for length, more in zip(lengths, new, strict=True)]

    def _score_batch(self, entries: Sequence[Entry]) -> list[ChoiceScores]:
        policy, counters = self.policy, self.counters
        paths = [self._choice_tokens(entry.text, entry.request.choices) for entry in entries]
        if self._shares(entries, 1):
            started = self._prefixes.start([entry.prompt for entry in entries], 1)
            logits = started.logits
            after = after_spaces(policy.model, started, paths, counters)
        else:
            inputs = _plain.inputs(policy, *_texts_and_images(entries), counters)
            odd = self._beyond(inputs, [1] * len(entries))
            if any(odd):
                return _without(entries, odd, self._score_batch, UNSCORED)
            logits = _plain.next_logits(policy, inputs)
            after = _plain.after_spaces(policy, inputs, paths, counters)
        return scores_of(logits, paths, after)


def _texts_and_images(entries: Sequence[Entry]) -> tuple[list[str], list[Sequence[Any]]]:
    return [entry.text for entry in entries], [entry.request.images for entry in entries]


def _without(
    entries: Sequence[Entry], odd: Sequence[bool], batch: Callable[[Sequence[Entry]], list[R]], failed: R
) -> list[R]:
    """Run `batch` on the entries that are not odd; the odd ones have `failed`."""
    kept = [entry for entry, out in zip(entries, odd, strict=True) if not out]
    done = iter(batch(kept) if kept else [])
    return [failed if out else next(done) for out in odd]
