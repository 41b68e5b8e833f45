"""A text about an image -> a score; two texts -> the probability that the first is better, by a model that sees.

The model is the round's policy itself or another vision-language model; the wording is ours. Models prefer the text
that comes first (or second), so both orders are read and averaged unless the request says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from torch import nn

from clincot.chain.prompts import compare_text
from clincot.engines.base import Engine, Probed, ServedAbilities
from clincot.engines.openai import OpenAIEngine
from clincot.judges._weighed import WeighedReplies, turn
from clincot.judges.base import CompareRequest, Verdict
from clincot.judges.cache import CachedJudge, Known
from clincot.judges.scoring import LEAST_MASS
from clincot.judges.served import ServedJudge
from clincot.judges.vlm import VlmJudge
from clincot.lm.parking import weights_of

REPLIES = (("A", " A"), ("B", " B"))


class Critic:
    """A vision-language model that rates and compares; `name` is its repository or `policy`, `key` names its weights.

    It rates as judges do: `scoring` and `prefill` are theirs, and what finished builds recorded is `known`.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        name: str,
        key: str,
        scoring: str = "expected",
        prefill: str = "",
        known: Known | None = None,
    ) -> None:
        self.engine = engine
        self.name = name
        self.key = key
        own: dict[str, Any] = {"name": name, "key": key, "scoring": scoring, "prefill": prefill}
        served = isinstance(engine, Probed) and isinstance(engine.abilities, ServedAbilities)
        judge = ServedJudge.over(cast(OpenAIEngine, engine), **own) if served else VlmJudge(engine, **own)
        self.judge = CachedJudge(judge, known or {})
        self._replies = WeighedReplies(engine, REPLIES, turn(compare_text("?", "?", "?"), ()))

    @property
    def weights(self) -> nn.Module | None:
        """Return the weights of the engine; None for one that computes elsewhere."""
        return weights_of(self.engine)

    def compare(self, requests: Sequence[CompareRequest]) -> list[Verdict]:
        """Return one verdict per request, in order; the engine reads all prompts together."""
        orders = [_orders(request) for request in requests]
        texts = [text for own in orders for text in own]
        seen = [request.images for request, own in zip(requests, orders, strict=True) for _ in own]
        read = iter(self._replies.weigh([turn(t, images) for t, images in zip(texts, seen, strict=True)], seen))
        return [_verdict([next(read) for _ in own]) for own in orders]


def _orders(request: CompareRequest) -> list[str]:
    """Return the prompt, and the one with the texts in the other order where it is asked for."""

    def text(first: str, second: str) -> str:
        known = (request.findings, request.reference, request.report)
        return compare_text(request.question, first, second, *known)

    given, turned = text(request.first, request.second), text(request.second, request.first)
    return [given, turned] if request.swap else [given]


def _verdict(read: Sequence[list[float] | None]) -> Verdict:
    """Return the mean over the orders of P(first) / (P(first) + P(second)); no value where one order has none."""
    if any(shares is None for shares in read):
        return Verdict(None, 0.0, too_long=True)
    mass = min(sum(shares) for shares in read if shares is not None)
    if mass < LEAST_MASS:
        return Verdict(None, mass)
    shares = [pair[order] / sum(pair) for order, pair in enumerate(read) if pair is not None]
    return Verdict(sum(shares) / len(shares), mass)
