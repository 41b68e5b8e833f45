"""Medical texts -> wrong versions of them, by a language model that is asked for a clinically wrong detail.

Ours; POVID and MMedPO ask GPT-4 for such texts. A reply that says the same again, or nothing, is asked for anew with
another seed, and is a failure after TRIES.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from clincot import engines
from clincot.chain.thoughts import without_thoughts
from clincot.editors._text_model import TextModel
from clincot.editors.base import LEAST, LIMIT, UNCHANGED, Change, Rewrite, RewriteRequest
from clincot.errors import ModelError
from clincot.lm.parking import weights_of
from clincot.lm.requests import Completion, Counters, GenerateRequest

VERSION = "instructed-1"  # counts up when an equal request would get another text
TRIES = 3
TEMPERATURE = 0.7  # so that another seed is another text
ROOM = 64  # tokens above one for each character of the text
EMPTY, CUT = "empty reply", "cut at the length limit"
LABEL = re.compile(
    r"^\s*(?:\*\*)?(?:rewritten |wrong |new )?(?:answer|report|text)(?:\*\*)?\s*:(?:\*\*)?\s*", re.IGNORECASE
)
QUOTES = ('""', "“”", "''", "«»", "「」")


class Writer(Protocol):
    """What writes texts: an engine, or a text-only model."""

    @property
    def counters(self) -> Counters: ...

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]: ...


class Instructed:
    """A language model as an editor; `name` is its repository or served name, `key` names its weights.

    `failures` counts the texts without a wrong version by their reasons.
    """

    def __init__(self, writer: Writer, *, name: str, key: str) -> None:
        self.writer = writer
        self.name = name
        self.key = f"{key}-{VERSION}"
        self.counters = writer.counters
        self.rewritten = 0
        self.failures: Counter[str] = Counter()

    @property
    def weights(self) -> nn.Module | None:
        """Return the weights of the model; None for one that computes elsewhere."""
        return weights_of(self.writer)

    def rewrite(self, requests: Sequence[RewriteRequest]) -> list[Rewrite]:
        """Return a wrong version of each text, or its failure. Raises ModelError when most of the texts have none."""
        found: dict[int, Rewrite] = {}
        for attempt in range(TRIES):
            left = [place for place in range(len(requests)) if place not in found or found[place].text is None]
            if not left:
                break
            replies = self.writer.generate([_asked(requests[place], attempt) for place in left])
            for place, reply in zip(left, replies, strict=True):
                found[place] = _read(requests[place], reply)
        self._count(found.values())
        return [found[place] for place in range(len(requests))]

    def _count(self, found: Any) -> None:
        for one in found:
            self.rewritten += one.text is not None
            if one.text is None:
                self.failures[str(one.failure)] += 1
        failed = self.failures.total()
        if failed + self.rewritten >= LEAST and failed > LIMIT * (failed + self.rewritten):
            reasons = ", ".join(f"{reason} ({n})" for reason, n in self.failures.most_common(3))
            raise ModelError(
                f"editor {self.name}: {failed} of {failed + self.rewritten} texts have no wrong version: {reasons}."
                " Name another model, or use `kind: rules`."
            )


class ServedEditor(Instructed):
    """A model on OpenAI-compatible servers."""

    @classmethod
    def from_pretrained(cls, folder: object = None, *, name: str, key: str, **reach: Any) -> ServedEditor:
        """Find `name` on its servers; `reach` goes to OpenAIEngine (endpoint, ...), `folder` is not read."""
        return cls(engines.load("openai", name, images=0, **reach), name=name, key=key)


class SeeingEditor(Instructed):
    """A vision-language model in process; it is shown no image."""

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, name: str, key: str, **options: Any) -> SeeingEditor:
        """Load a folder as a policy's base is loaded."""
        return cls(engines.load("transformers", folder, images=1, **options), name=name, key=key)


class TextEditor(Instructed):
    """A text-only language model in process."""

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, name: str, key: str, **options: Any) -> TextEditor:
        """Load a folder as a judge's is loaded."""
        return cls(TextModel.from_pretrained(folder, **options), name=name, key=key)


def instruction(request: RewriteRequest) -> str:
    """Return what the model is asked; what varies comes last."""
    what = "one clinically wrong detail" if request.changes <= 1 else f"{request.changes} clinically wrong details"
    lines = [
        f"Write the answer below again with {what}, such as another side, organ, finding, degree or number. Keep the"
        " language, the length and everything else as it is. Reply with the rewritten answer alone."
    ]
    if request.vocabulary:
        lines.append(f"Findings that may be named instead: {', '.join(request.vocabulary)}")
    return "\n".join([*lines, f"Question: {request.question.strip()}", f"Answer: {request.text.strip()}"])


def _asked(request: RewriteRequest, attempt: int) -> GenerateRequest:
    content = [{"type": "text", "text": instruction(request)}]
    first = GenerateRequest(({"role": "user", "content": content},), (), request.seed, TEMPERATURE, 1.0, _room(request))
    if not attempt:
        return first
    another = blake2b(f"{request.seed} {attempt}".encode(), digest_size=4).digest()
    return replace(first, seed=int.from_bytes(another, "big") >> 1)


def _room(request: RewriteRequest) -> int:
    return ROOM + len(request.text)


def _read(request: RewriteRequest, reply: Completion) -> Rewrite:
    if reply.finish == "failed":
        return Rewrite(None, failure=reply.failure or EMPTY)
    text = _bare(without_thoughts(reply.text))
    if not text:
        return Rewrite(None, failure=EMPTY)
    if reply.finish == "length":
        return Rewrite(None, failure=CUT)
    if _plain(text) == _plain(request.text):
        return Rewrite(None, failure=UNCHANGED)
    return Rewrite(text, (Change("instructed", request.text.strip(), text),))


def _bare(text: str) -> str:
    """Return a reply without the label and the quotation marks that models put around what they were asked for."""
    text = LABEL.sub("", text.strip()).strip()
    pair = text[:1] + text[-1:]
    return text[1:-1].strip() if len(text) > 2 and pair in QUOTES and text[0] not in text[1:-1] else text


def _plain(text: str) -> str:
    """Return what two texts that say the same have in common: words without case, spaces and marks at their ends."""
    return " ".join(text.casefold().split()).strip(" .!。")
