"""A server, a model's name and prompts -> what it serves, reads, writes and keeps, a fact a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from PIL.Image import Image

from clincot.engines._chat import chat_messages
from clincot.engines._images import DataUrls
from clincot.engines.plain_server import Answer, PlainServer
from clincot.records import Message

# `at run time`: vLLM's endpoint for adapters is open; `at start`: adapters are named in the command that starts it.
Adapters = Literal["at run time", "at start", "none", "unknown"]
NOWHERE = "clincot-doctor-looks-for-no-adapter"
ID = "token_id:"


@dataclass(frozen=True)
class Prompt:
    """What a role is asked: `images` fill the image blocks of `messages` in order."""

    messages: tuple[Message, ...]
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class Written:
    """A greedy text: `refused` says why it is absent; `logp` is None without log-probabilities of its tokens.

    `cached` of the `read` prompt tokens came from the prefix cache; None where the server does not say.
    """

    text: str = ""
    tokens: int = 0
    logp: float | None = None
    read: int | None = None
    cached: int | None = None
    refused: str = ""


class ServerLook:
    """A model of one server, asked once for each fact."""

    def __init__(self, server: PlainServer, model: str) -> None:
        self.server = server
        self.model = model
        self._urls = DataUrls()

    def listed(self) -> tuple[Answer, tuple[str, ...]]:
        """Return the answer of the list of models, and the names on it."""
        answer = self.server.get("v1/models")
        cards = answer.body.get("data") if answer.good else None
        return answer, tuple(str(card.get("id")) for card in cards or () if isinstance(card, dict))

    def version(self) -> str:
        """Return the software's version as vLLM says it, "" where it does not."""
        return str(self.server.get("version").body.get("version") or "")

    def adapters(self) -> Adapters:
        """Return how adapters reach the model, by asking vLLM for one that nobody has."""
        answer = self.server.post("v1/load_lora_adapter", lora_name=NOWHERE, lora_path=f"/{NOWHERE}")
        said = answer.said.lower()
        if "lora is not enabled" in said:
            return "none"
        if NOWHERE in said:
            return "at run time"
        return "at start" if answer.status in (404, 405) else "unknown"

    def read(self, prompt: Prompt) -> tuple[int, ...] | None:
        """Return the token ids of a prompt, image tokens included, as vLLM's `tokenize` gives them, else None."""
        answer = self.server.post(
            "tokenize", model=self.model, messages=self._messages(prompt), add_special_tokens=False
        )
        ids = answer.body.get("tokens")
        return tuple(ids) if answer.good and isinstance(ids, list) and ids else None

    def write(self, prompt: Prompt, tokens: int) -> Written:
        """Let the model write a text of at most `tokens` tokens."""
        asked = {"max_tokens": tokens, "temperature": 0.0, "seed": 0}
        answer = self._chat(prompt, logprobs=True, **asked)
        if answer.status == 422:  # some servers refuse the mere question for log-probabilities
            answer = self._chat(prompt, **asked)
        return written(answer)

    def _chat(self, prompt: Prompt, **asked: Any) -> Answer:
        return self.server.post("v1/chat/completions", model=self.model, messages=self._messages(prompt), **asked)

    def _messages(self, prompt: Prompt) -> list[dict[str, Any]]:
        return chat_messages(prompt.messages, self._urls.encode([prompt])[0])


def written(answer: Answer) -> Written:
    """Return what an answer of the chat interface holds; any part of it may be absent."""
    choices = answer.body.get("choices") if answer.good else None
    if not choices:
        return Written(refused=answer.said or f"status {answer.status}, without a choice")
    choice, usage = choices[0], answer.body.get("usage") or {}
    logps = [token.get("logprob") for token in (choice.get("logprobs") or {}).get("content") or ()]
    known = [logp for logp in logps if logp is not None]
    details: dict[str, Any] = usage.get("prompt_tokens_details") or {}
    return Written(
        text=str((choice.get("message") or {}).get("content") or ""),
        tokens=len(logps) or int(usage.get("completion_tokens") or 0),
        logp=sum(known) if logps and len(known) == len(logps) else None,
        read=usage.get("prompt_tokens"),
        cached=details.get("cached_tokens"),
    )


def differing(ours: Sequence[int], theirs: Sequence[int]) -> int:
    """Return the first place at which two lists of ids differ, -1 where they are equal."""
    places = range(max(len(ours), len(theirs)))
    return next((i for i in places if ours[i : i + 1] != theirs[i : i + 1]), -1)
