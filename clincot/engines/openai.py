"""Generation and choice requests -> completions and choice log-probabilities, by OpenAI-compatible servers.

For vLLM and SGLang. An adapter is chosen by the name it is served under.
Start vLLM with `--generation-config vllm`, else the model's sampling defaults (as top-k) enter unasked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from clincot.engines._chat import chat_messages, subject_of, text_of, tokens_of
from clincot.engines._failures import Failures
from clincot.engines._images import DataUrls
from clincot.engines._server import Reach, RequestRefused, Server
from clincot.engines._server_probe import takes_system, try_model
from clincot.engines._server_tokens import FolderTokenizer, Replies, ServerTokenizer
from clincot.engines._servers import Card, Servers
from clincot.engines._weighing import TOPS, Unweighed, Weigher
from clincot.engines.base import ServedAbilities
from clincot.engines.lora import Lora
from clincot.engines.prefix_order import Order, PrefixOrder
from clincot.errors import ModelError
from clincot.hub.retry import TRIES
from clincot.lm.requests import ChoiceRequest, ChoiceScores, Completion, Counters, GenerateRequest
from clincot.recipe.served import KEY_ENV

Asked = TypeVar("Asked")
R = TypeVar("R")
FINISHES: dict[str, Literal["stop", "length"]] = {
    "stop": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
}


class OpenAIEngine:
    """A model on servers; `counters` counts requests and retries.

    Its log-probabilities are not those of the training engine to the last digit, so every completion has
    `retokenises=False` and none is stored as a reference. Seeds are sent with every request; whether a text is the same
    in another batch depends on the server (vLLM: VLLM_BATCH_INVARIANT=1).
    """

    def __init__(
        self, servers: Servers, card: Card, counters: Counters, *, at_once: int, tokenizer: str | Path | None = None
    ) -> None:
        self.servers = servers
        self.model = card.name
        self.at_once = at_once
        self.counters = counters
        self.card = card
        self.images = 0  # that a prompt was tried with
        self.failures = Failures(f"server {servers.url}: {card.name}")
        self._urls = DataUrls()
        self._tells = True  # until the server refuses to give log-probabilities
        self.order: Order = PrefixOrder()
        own = FolderTokenizer(tokenizer) if tokenizer else ServerTokenizer(servers.extra, card.name)
        advice = f"Serve {card.name} with {TOPS[0]} of them (vLLM: --max-logprobs {TOPS[0]}), or use it in process."
        name = f"server {servers.url}: {card.name}"
        self.weigher = Weigher(partial(servers.chat, card.name), name, Replies(own, name), advice)

    @classmethod
    def from_pretrained(
        cls,
        base: str,
        adapter: str | None = None,
        *,
        endpoint: str | Sequence[str],
        batch_size: int = 16,
        timeout: float = 600.0,
        tries: int = TRIES,
        key_env: str = KEY_ENV,
        setting: str = "models.policy.endpoint",
        images: int | None = None,
        tokenizer: str | Path | None = None,
        lora: Lora | None = None,
    ) -> OpenAIEngine:
        """Find the served names `base` or `adapter` at `endpoint` (http://HOST:PORT, with or without /v1), or several.

        `batch_size` requests are under way at once; each may take `timeout` seconds and is sent `tries` times at most.
        The key is read from the environment variable `key_env`; the user's Hub token is never sent. `images`: a prompt
        with so many is tried (None: nothing is). `tokenizer` is a folder with the tokenizer of the model, for servers
        that do not tokenise. `lora` loads the adapter where it is absent. Errors name `setting`. Raises ModelError when
        no server answers, when they serve different models, or when images are not read; a name that is not listed may
        still be loaded on first use.
        """
        reach, counters = Reach(key_env, timeout, tries, setting), Counters()
        urls = [endpoint] if isinstance(endpoint, str) else endpoint
        servers = Servers([Server(url, counters, reach) for url in urls])
        if lora:
            servers.load(lora.load)
        name = str(adapter or base)
        engine = cls(servers, servers.card(name), counters, at_once=max(batch_size, 1), tokenizer=tokenizer)
        if images is not None:
            try_model(servers, engine.card, images)
            engine.images = images
        return engine

    @property
    def abilities(self) -> ServedAbilities:
        """Return what the server says of the model and what it was found to do."""
        way = self.weigher.way
        return ServedAbilities(self.model, self.card.origin, self.card.version, self.images, str(way) if way else "")

    @property
    def weighing(self) -> str:
        """Return how next tokens are weighed where that is not exact: it changes ratings, and so their keys."""
        way = self.weigher.way
        return "" if way is None or not way.top else str(way)

    @cached_property
    def takes_system(self) -> bool:
        """Return whether the model's template has a system turn and keeps what it says; asked once."""
        return takes_system(self.servers, self.card)

    def forget(self) -> None:
        """Drop encoded images; what the server keeps is not reached."""
        self._urls.forget()

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        """Write one text per request, in their order; `logp` is NaN where the server gives no log-probabilities.

        A request that is answered without a text (a content filter, an unfinished thought, a prompt that is too long
        after others that were not) has finish `failed`. Raises ModelError when too many are (`_failures.py`), when the
        server refuses the first request, lacks the model or stays away.
        """
        written = self._each(requests, self._write)
        self.counters.generated_texts += len(requests)
        return written

    def score_choices(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceScores]:
        """Weigh each request's choices as the next token, in the best way that the server has (`_weighing.py`).

        `mass` is that of the choices. Raises ModelError when the server gives no log-probabilities, or for a choice
        that is not a single token of a model whose tokens are known.
        """
        self._settle(requests)
        scores = self._each(requests, self._weigh)
        self.counters.scored_choices += len(requests)
        return scores

    def _settle(self, requests: Sequence[ChoiceRequest]) -> None:
        """Find how choices are weighed with the first request that no filter refuses."""
        for request in requests if self.weigher.way is None else ():
            try:
                return self.weigher.settle(self._messages([request])[0], request.choices)
            except RequestRefused as error:
                if not error.filtered:
                    raise

    def _messages(self, requests: Sequence[Any]) -> list[list[dict[str, Any]]]:
        if any(request.prefill for request in requests):
            raise ModelError(
                f"server {self.servers.url}: the chat interface cannot begin a reply. Set build.judging.prefill to an"
                " empty text."
            )
        urls = self._urls.encode(requests)
        return [chat_messages(request.messages, own) for request, own in zip(requests, urls, strict=True)]

    def _each(self, requests: Sequence[Asked], ask: Callable[[Asked, list[dict[str, Any]]], tuple[R, Any]]) -> list[R]:
        """Ask `at_once` at a time, those that begin alike one after another; the first error ends it.

        Results come in the order of the requests.
        """
        messages = self._messages(requests)
        pool = ThreadPoolExecutor(self.at_once)
        try:
            waiting = {place: pool.submit(ask, requests[place], messages[place]) for place in self.order(messages)}
            answered = {place: future.result() for place, future in waiting.items()}
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        self.failures.check()
        for _, usage in answered.values():
            self._count(usage)
        return [answered[place][0] for place in range(len(requests))]

    def _write(self, request: GenerateRequest, messages: list[dict[str, Any]]) -> tuple[Completion, Any]:
        try:
            reply = self._reply(request, messages)
        except RequestRefused as error:
            return self.failures.refuse(error, subject_of(messages)), None
        if not reply.choices:
            return self.failures.fail("the reply has no choice at all", subject_of(messages)), reply.usage
        choice = reply.choices[0]
        text, reason = text_of(choice.message), choice.finish_reason
        if reason not in FINISHES or text is None:
            ended = f"it ended by {reason!r}" + ("" if text else ", without a text")
            return self.failures.fail(ended, subject_of(messages)), reply.usage
        self.failures.success()
        logps = [token.logprob for token in tokens_of(reply)]
        used = getattr(reply.usage, "completion_tokens", None)
        return (
            Completion(
                text=text,
                logp=math.nan if not logps or None in logps else sum(logps),
                tokens=len(logps) if used is None else used,
                finish=FINISHES[reason],
                retokenises=False,
            ),
            reply.usage,
        )

    def _reply(self, request: GenerateRequest, messages: list[dict[str, Any]]) -> Any:
        asked: dict[str, Any] = {
            "max_tokens": request.max_new_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
        }
        if self._tells:
            try:
                return self.servers.chat(self.model, messages, logprobs=True, **asked)
            except ModelError as error:
                # `transformers serve` answers 422 to the mere question; texts alone will do.
                if "logprobs" not in str(error):
                    raise
                self._tells = False
        return self.servers.chat(self.model, messages, **asked)

    def _weigh(self, request: ChoiceRequest, messages: list[dict[str, Any]]) -> tuple[ChoiceScores, Any]:
        nothing = ChoiceScores((-math.inf,) * len(request.choices), 0.0, request.choices)
        try:
            scored = self.weigher(messages, request.choices)
        except RequestRefused as error:
            self.failures.refuse(error, subject_of(messages))
            return nothing, None
        except Unweighed as error:
            self.failures.fail(str(error), subject_of(messages))
            return nothing, error.usage
        self.failures.success()
        return scored

    def _count(self, usage: Any) -> None:
        if usage is None:
            return
        details = getattr(usage, "prompt_tokens_details", None) or {}
        self.counters.unshared_prefill_tokens += usage.prompt_tokens or 0
        self.counters.prefill_tokens += (usage.prompt_tokens or 0) - (details.get("cached_tokens") or 0)
        self.counters.decoded_tokens += usage.completion_tokens or 0
