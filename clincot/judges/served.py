"""Statements -> scores in [0, 1] by a language model on OpenAI-compatible servers, with the images or text alone.

Where the server gives the log-probabilities of the tokens that are asked for, ratings are those of the model in
process; engines/_weighing.py has what is done where it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from clincot import engines
from clincot.engines.base import NoLogProbs
from clincot.engines.openai import OpenAIEngine
from clincot.judges._weighed import Turns
from clincot.judges.base import JudgeRequest
from clincot.judges.vlm import VlmJudge
from clincot.progress import notice
from clincot.records.lineage import content_key


class ServedJudge(VlmJudge):
    """A served model that sees image and crop before the statement."""

    @classmethod
    def from_pretrained(
        cls,
        folder: object = None,
        *,
        name: str,
        key: str,
        scoring: str = "expected",
        prefill: str = "",
        images: int = 2,
        **reach: Any,
    ) -> VlmJudge:
        """Find `name` on its servers; `reach` goes to OpenAIEngine (endpoint, batch_size, ...), `folder` is not read.

        What the servers say is behind the name is a part of the judge's key. Without log-probabilities of next tokens
        the digits of `expected` are written out instead, which is said. Raises ModelError for servers that are away,
        serve something else or read no images, and where yes and no cannot be weighed.
        """
        engine = cast(OpenAIEngine, engines.load("openai", name, images=images if cls.sees else 0, **reach))
        weights = content_key(key, engine.card.root)
        return cls.over(engine, name=name, key=weights, scoring=scoring, prefill=prefill, counters=engine.counters)

    @classmethod
    def over(cls, engine: OpenAIEngine, *, key: str, scoring: str, name: str = "policy", **options: Any) -> VlmJudge:
        """Make a judge of an engine that is there, in `scoring` or in what the server can do instead."""
        judge = cls(engine, name=name, key=key, scoring=scoring, **options)
        try:
            judge.reads(cls.probe)
        except NoLogProbs as error:
            if scoring != "expected":
                raise
            notice(f"WARNING: judge {name}: its digits are written out, as `generated` does, and ties grow. {error}")
            return judge.in_mode("generated")
        return judge


class ServedTextJudge(ServedJudge):
    """A served model that reads text alone: a system and a user turn, or one turn where its template has no system."""

    sees = False

    def _turns(self, request: JudgeRequest, seen: Sequence[object]) -> Turns:
        system, user = self._way.messages(request)
        if cast(OpenAIEngine, self.engine).takes_system:
            return (system, user)
        return ({**user, "content": f"{system['content']}\n\n{user['content']}"},)
