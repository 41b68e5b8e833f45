"""A served prompt and its choices -> their log-probabilities as the next token, by the best way that the server has.

`exact`: the server gives those of the tokens that are asked for (vLLM's `logprob_token_ids`). `likeliest`: it gives the
likeliest 20 or fewer, and a choice that is not among them counts as impossible. What a grammar allows
(`structured_outputs`) is never asked for: it hides how much a model puts on other replies.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from clincot.engines._chat import tokens_of
from clincot.engines._server import RequestRefused
from clincot.engines._server_tokens import NoTokens, Replies
from clincot.engines.base import NoLogProbs
from clincot.lm.choice_tokens import Path
from clincot.lm.requests import ChoiceScores
from clincot.progress import notice

EXACT, LIKELIEST = "exact", "likeliest"
TOPS = (20, 5)  # of likeliest tokens: the most that OpenAI's API and vLLM's default allow, and what some others do
FIRST = 20  # prompts after which it is said how many choices were missing
SAME = 1e-2  # nats; the log-probabilities of one token, asked for twice
PREFIX = "token_id:"
# At temperature 1, since SGLang's log-probabilities are those of the tempered distribution.
NEXT: dict[str, Any] = {"max_tokens": 1, "temperature": 1.0, "top_p": 1.0, "seed": 0, "logprobs": True}

Chat = Callable[..., Any]
Messages = list[dict[str, Any]]


class Unweighed(Exception):
    """A single reply without the log-probabilities that others had; `usage` is what it took."""

    def __init__(self, usage: Any) -> None:
        super().__init__("no log-probabilities of the next token")
        self.usage = usage


@dataclass(frozen=True)
class Way:
    """How next tokens are weighed: `exact`, or by the `top` likeliest; `by_ids`: they are named by their ids."""

    name: str
    top: int = 0
    by_ids: bool = False

    def __str__(self) -> str:
        return self.name if self.name == EXACT else f"{self.top} likeliest"


class Weigher:
    """Weighs choices on a server; the way is found with the first prompt, and said where it is not exact."""

    def __init__(self, chat: Chat, name: str, replies: Replies, advice: str) -> None:
        self.way: Way | None = None
        self._chat = chat
        self._name = name
        self._replies = replies
        self._advice = advice
        self._missing = [0, 0, 0]  # prompts, choices, those that were not among the likeliest
        self._lock = threading.Lock()

    def settle(self, messages: Messages, choices: Sequence[str]) -> None:
        """Find the way, by a first prompt. Raises NoLogProbs where the server has none."""
        if self.way is not None:
            return
        paths = self._paths(messages, choices)
        if paths is not None and self._is_exact(messages, paths):
            self.way = Way(EXACT)
            return
        self.way = self._likeliest_way(messages, by_ids=paths is not None)
        notice(
            f"{self._name}: weighs replies by the {self.way.top} likeliest tokens, since the server does not give the"
            " log-probabilities of those that are asked for (vLLM does: logprob_token_ids)."
        )

    def __call__(self, messages: Messages, choices: Sequence[str]) -> tuple[ChoiceScores, Any]:
        """Return the scores of `choices` and the usage of the request. Raises Unweighed for a reply without them."""
        if self.way is None:  # a filter refused all that was tried
            self.settle(messages, choices)
        assert self.way is not None
        if self.way.name == EXACT:
            paths = self._replies(messages, choices)
            known, usage = self._exact(messages, paths)
            if known is None:
                raise Unweighed(usage)
            tokens: tuple[Any, ...] = tuple(path if len(path) > 1 else path[0] for path in paths)
            return _scores([known[path] for path in paths], tokens), usage
        return self._by_likeliest(messages, choices, self.way)

    def _paths(self, messages: Messages, choices: Sequence[str]) -> tuple[Path, ...] | None:
        try:
            return self._replies(messages, choices)
        except NoTokens:
            return None

    def _is_exact(self, messages: Messages, paths: Sequence[Path]) -> bool:
        try:
            known, _ = self._exact(messages, paths)
        except RequestRefused as error:
            if error.filtered:
                raise
            return False
        return known is not None

    def _exact(self, messages: Messages, paths: Sequence[Path]) -> tuple[dict[Path, float] | None, Any]:
        """Return the log-probability of each path, None where the server does not give them all.

        Behind a space piece the token after it counts. It is asked for with the piece as the only token allowed; the
        log-probabilities are those from before that.
        """
        first = sorted({path[0] for path in paths})
        wanted = {"logprob_token_ids": first, "return_tokens_as_token_ids": True}
        reply = self._chat(messages, **NEXT, **wanted)
        logps = _by_id(tokens_of(reply), 0)
        found: dict[Path, float] = {(token,): logps[token] for token in first if token in logps}
        if len(found) < len(first):
            return None, reply.usage
        for piece in sorted({path[0] for path in paths if len(path) > 1}):
            later = sorted({path[1] for path in paths if path[0] == piece and len(path) > 1})
            forced = {"allowed_token_ids": [piece], "max_tokens": 2}
            wanted = {"logprob_token_ids": sorted({piece, *later}), "return_tokens_as_token_ids": True}
            again = tokens_of(self._chat(messages, **{**NEXT, **forced}, **wanted))
            before, after = _by_id(again, 0), _by_id(again, 1)
            same = abs(before.get(piece, math.inf) - logps[piece]) <= SAME
            if not same or not all(token in after for token in later):
                return None, reply.usage
            found |= {(piece, token): logps[piece] + after[token] for token in later}
        return found, reply.usage

    def _likeliest_way(self, messages: Messages, *, by_ids: bool) -> Way:
        refused: RequestRefused | None = None
        for top in TOPS:
            for named in (True, False) if by_ids else (False,):
                way = Way(LIKELIEST, top, named)
                try:
                    tokens = tokens_of(self._ask_likeliest(messages, way))
                except RequestRefused as error:
                    if error.filtered:
                        raise
                    refused = refused or error
                    continue
                if _by_id(tokens, 0) if named else _by_text(tokens):
                    return way
        raise NoLogProbs(
            f"{self._name}: gives no log-probabilities of next tokens. {self._advice}"
            + (f" It said: {refused.said}" if refused else "")
        )

    def _ask_likeliest(self, messages: Messages, way: Way) -> Any:
        named = {"return_tokens_as_token_ids": True} if way.by_ids else {}
        return self._chat(messages, **NEXT, top_logprobs=way.top, **named)

    def _by_likeliest(self, messages: Messages, choices: Sequence[str], way: Way) -> tuple[ChoiceScores, Any]:
        tokens: tuple[Any, ...] = tuple(choices)
        if way.by_ids:  # a reply behind a space piece cannot be weighed so; it is missing
            tokens = tuple(path if len(path) > 1 else path[0] for path in self._replies(messages, choices))
        reply = self._ask_likeliest(messages, way)
        read = tokens_of(reply)
        known: dict[Any, float] = dict(_by_id(read, 0)) if way.by_ids else dict(_by_text(read))
        if not known:
            raise Unweighed(reply.usage)
        self._count(choices, [token in known for token in tokens])
        return _scores([known.get(token, -math.inf) for token in tokens], tokens), reply.usage

    def _count(self, choices: Sequence[str], found: Iterable[bool]) -> None:
        """Count what is missing; say its share once. A choice is there when one of its spellings is."""
        by_reply: dict[str, bool] = {}
        for choice, there in zip(choices, found, strict=True):
            by_reply[choice.strip()] = by_reply.get(choice.strip(), False) or there
        if len(by_reply) < 2:
            return  # a spelling that is tried by itself
        with self._lock:
            self._missing[0] += 1
            self._missing[1] += len(by_reply)
            self._missing[2] += sum(not there for there in by_reply.values())
            prompts, asked, missing = self._missing
        if prompts == FIRST and missing:
            notice(
                f"{self._name}: of its first {FIRST} prompts {missing / asked:.0%} of the replies asked for were not"
                f" among the {self.way.top if self.way else 0} likeliest tokens. They count as impossible."
            )


def _scores(logps: Sequence[float], tokens: tuple[Any, ...]) -> ChoiceScores:
    distinct = dict(zip(tokens, logps, strict=True))
    return ChoiceScores(tuple(logps), sum(map(math.exp, distinct.values())), tokens)


def _by_id(tokens: Sequence[Any], place: int) -> dict[int, float]:
    """Return the log-probabilities at a place of a reply by token id; those of tokens named otherwise are left out."""
    if len(tokens) <= place:
        return {}
    named = [tokens[place], *(tokens[place].top_logprobs or ())]
    found = [(str(one.token).removeprefix(PREFIX), one) for one in named if str(one.token).startswith(PREFIX)]
    return {int(token): float(one.logprob) for token, one in found if token.isdigit() and one.logprob is not None}


def _by_text(tokens: Sequence[Any]) -> dict[str, float]:
    """Return the log-probabilities of the likeliest first tokens by their text; tokens of one text are added up."""
    found: dict[str, float] = {}
    for one in (tokens[0].top_logprobs or ()) if tokens else ():
        if one.logprob is not None:
            before = found.get(one.token)
            mass = math.exp(one.logprob) + (0.0 if before is None else math.exp(before))
            found[one.token] = one.logprob if before is None else math.log(mass)
    return found
