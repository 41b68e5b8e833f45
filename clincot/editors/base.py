"""The contract of an editor: texts with their questions -> wrong versions of them, or why a text has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

NOTHING_TO_CHANGE, UNCHANGED = "nothing to change", "came back unchanged"
LEAST, LIMIT = 20, 0.5  # texts, and the share of failures among them that stops the work


@dataclass(frozen=True)
class RewriteRequest:
    """A text of which a wrong version is wanted, such as the gold answer of `question`.

    Attributes:
        text: what is rewritten; English or Chinese.
        question: what the text answers.
        seed: equal requests with equal seeds give equal texts.
        modality: of the image, as `Example.modality` says it; decides which findings may be named instead.
        vocabulary: the findings that may be named instead; empty: those of the modality.
        changes: the largest number of places to change; at least one. A short answer has one.
    """

    text: str
    question: str
    seed: int
    modality: str = "other"
    vocabulary: tuple[str, ...] = ()
    changes: int = 1


@dataclass(frozen=True)
class Change:
    """One thing that was made wrong: `kind` (such as "laterality"), the words before and after."""

    kind: str
    before: str
    after: str


@dataclass(frozen=True)
class Rewrite:
    """An editor's reply: a text that differs from the request's, or `text` None and the name of the failure.

    A reply that equals the request's text is a failure, never a success: such a pair would prefer a text to itself.
    """

    text: str | None
    changes: tuple[Change, ...] = ()
    failure: str | None = None


class Editor(Protocol):
    """One editor; `name` is its repository or kind, `key` its pinned version."""

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> str: ...

    def rewrite(self, requests: Sequence[RewriteRequest]) -> list[Rewrite]:
        """Return one reply per request, in order."""
        ...
