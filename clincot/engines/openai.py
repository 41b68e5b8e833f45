"""Generation and choice requests -> completions and choice log-probabilities, by an OpenAI-compatible server.

For vLLM and SGLang. An adapter is chosen by the name it is served under.
Start vLLM with `--generation-config vllm`, else the model's sampling defaults (as top-k) enter unasked.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar

from clincot.engines._failures import Failures
from clincot.engines._images import DataUrls
from clincot.engines._server import RequestRefused, Server
from clincot.engines.prefix_order import Order, PrefixOrder
from clincot.errors import ModelError
from clincot.hub.retry import TRIES
from clincot.lm.requests import ChoiceRequest, ChoiceScores, Completion, Counters, GenerateRequest
from clincot.recipe.served import KEY_ENV
from clincot.records import Message

Asked = TypeVar("Asked")
R = TypeVar("R")
TOP = 20  # next tokens with their log-probabilities: the most that OpenAI's API and vLLM's default allow
FINISHES: dict[str, Literal["stop", "length"]] = {
    "stop": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
}


class OpenAIEngine:
    """A model on a server; `counters` counts requests and retries.

    Its log-probabilities are not those of the training engine (0.1 to 0.3 per token apart, vLLM issue 18352), so every
    completion has `retokenises=False` and none is stored as a reference. Seeds are sent with every request; whether a
    text is the same in another batch depends on the server (vLLM: VLLM_BATCH_INVARIANT=1).
    """

    def __init__(self, server: Server, model: str, *, at_once: int) -> None:
        self.server = server
        self.model = model
        self.at_once = at_once
        self.counters = server.counters
        self.failures = Failures(f"server {server.url}: {model}")
        self._urls = DataUrls()
        self._weighed = False  # until the server gave log-probabilities of next tokens
        self._tells = True  # until the server refuses to give log-probabilities
        self.order: Order = PrefixOrder()

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
    ) -> OpenAIEngine:
        """Find the served names `base` or `adapter` at `endpoint` (http://HOST:PORT, with or without /v1).

        `batch_size` requests are under way at once; each may take `timeout` seconds and is sent `tries` times at most.
        The key is read from the environment variable `key_env`; the user's Hub token is never sent. Raises ModelError
        when the server does not answer; a name it does not list may still be loaded on first use.
        """
        urls = [endpoint] if isinstance(endpoint, str) else list(endpoint)
        if len(urls) != 1:
            raise ModelError(f"server {', '.join(urls)}: one server is asked. Give one endpoint.")
        server = Server(urls[0], Counters(), key=os.environ.get(key_env), timeout=timeout, tries=tries)
        server.models()
        return cls(server, str(adapter or base), at_once=max(batch_size, 1))

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
        """Weigh each request's choices as the next token; one that is not among the likeliest 20 gets -inf.

        `mass` is that of the choices among those 20. Raises ModelError when the server gives no log-probabilities.
        """
        scores = self._each(requests, self._weigh)
        self.counters.scored_choices += len(requests)
        return scores

    def _each(self, requests: Sequence[Asked], ask: Callable[[Asked, list[dict[str, Any]]], tuple[R, Any]]) -> list[R]:
        """Ask `at_once` at a time, those that begin alike one after another; the first error ends it.

        Results come in the order of the requests.
        """
        if any(request.prefill for request in requests):  # type: ignore[attr-defined]
            raise ModelError(
                f"server {self.server.url}: the chat interface cannot begin a reply. Set build.judging.prefill to an"
                " empty text."
            )
        pairs = zip(requests, self._urls.encode(requests), strict=True)
        messages = [chat_messages(request.messages, own) for request, own in pairs]  # type: ignore[attr-defined]
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
            return self.failures.refuse(error, _shown(messages)), None
        if not reply.choices:
            return self.failures.fail("the reply has no choice at all", _shown(messages)), reply.usage
        choice = reply.choices[0]
        text, reason = text_of(choice.message), choice.finish_reason
        if reason not in FINISHES or text is None:
            ended = f"it ended by {reason!r}" + ("" if text else ", without a text")
            return self.failures.fail(ended, _shown(messages)), reply.usage
        self.failures.success()
        logps = [token.logprob for token in _tokens(choice)]
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
                return self.server.chat(self.model, messages, logprobs=True, **asked)
            except ModelError as error:
                # `transformers serve` answers 422 to the mere question; texts alone will do.
                if "logprobs" not in str(error):
                    raise
                self._tells = False
        return self.server.chat(self.model, messages, **asked)

    def _weigh(self, request: ChoiceRequest, messages: list[dict[str, Any]]) -> tuple[ChoiceScores, Any]:
        nothing = ChoiceScores((-math.inf,) * len(request.choices), 0.0, request.choices)
        try:
            # At temperature 1, since SGLang's log-probabilities are those of the tempered distribution.
            reply = self.server.chat(
                self.model, messages, max_tokens=1, temperature=1.0, seed=0, logprobs=True, top_logprobs=TOP
            )
        except RequestRefused as error:
            if not (error.filtered or self._weighed):
                raise
            self.failures.refuse(error, _shown(messages))
            return nothing, None
        tokens = _tokens(reply.choices[0]) if reply.choices else []
        tops = (tokens[0].top_logprobs or ()) if tokens else ()
        likeliest = {top.token: top.logprob for top in tops if top.logprob is not None}
        if not likeliest and self._weighed:
            self.failures.fail("no log-probabilities of the next token", _shown(messages))
            return nothing, reply.usage
        if not likeliest:
            raise ModelError(
                f"server {self.server.url}: gives no log-probabilities of next tokens."
                f" Serve {self.model} with {TOP} of them (vLLM: --max-logprobs {TOP}), or use `kind: transformers`."
            )
        self._weighed = True
        self.failures.success()
        logps = tuple(likeliest.get(choice, -math.inf) for choice in request.choices)
        mass = sum(math.exp(likeliest[choice]) for choice in set(request.choices) & likeliest.keys())
        return ChoiceScores(logps, mass, request.choices), reply.usage

    def _count(self, usage: Any) -> None:
        if usage is None:
            return
        details = getattr(usage, "prompt_tokens_details", None) or {}
        self.counters.unshared_prefill_tokens += usage.prompt_tokens or 0
        self.counters.prefill_tokens += (usage.prompt_tokens or 0) - (details.get("cached_tokens") or 0)
        self.counters.decoded_tokens += usage.completion_tokens or 0


def chat_messages(messages: Sequence[Message], urls: Sequence[str]) -> list[dict[str, Any]]:
    """Return `messages` with their i-th image block as a reference to `urls[i]`."""
    left = iter(urls)

    def block(one: dict[str, Any]) -> dict[str, Any]:
        return {"type": "image_url", "image_url": {"url": next(left)}} if one["type"] == "image" else dict(one)

    return [
        {**message, "content": content if isinstance(content := message["content"], str) else [*map(block, content)]}
        for message in messages
    ]


def _shown(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return what names the subject of a request: its first image, or its text where it has none."""
    blocks = [block for message in messages if not isinstance(message["content"], str) for block in message["content"]]
    return next((block["image_url"]["url"] for block in blocks if "image_url" in block), str(messages))


def text_of(message: Any) -> str | None:
    """Return the text of a reply, its parts joined where it comes in parts; None for a reply without text."""
    content = getattr(message, "content", None)
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else getattr(part, "text", None) for part in content]
        content = "".join(part for part in parts if isinstance(part, str)) or None
    return content if isinstance(content, str) else None


def _tokens(choice: Any) -> list[Any]:
    return list(choice.logprobs.content or ()) if choice.logprobs else []
