"""Medical texts -> wrong versions by rules, without a model: other side, denial, degree, place, finding, number.

Ours; POVID and MMedPO let GPT-4 write such texts. A rule changes one statement and keeps the rest, so that length and
style do not give the wrong text away.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from clincot.chain.hypotheses import BY_MODALITY, GENERAL
from clincot.editors import _chinese, _english
from clincot.editors._edits import Edit, applied, sentences, written
from clincot.editors._finding_nouns import FINDINGS
from clincot.editors.base import NOTHING_TO_CHANGE, Change, Rewrite, RewriteRequest

DENIAL = re.compile(
    r"\b(?:no|not|cannot|without|neither|nor|never|free of|absent|negative)\b|n['’]t\b|没|沒|无|不(?!规则|均)|未|否",
    re.IGNORECASE | re.ASCII,
)


class Rules:
    """The editor that needs no model: English and Chinese, deterministic by seed."""

    name = "rules"
    key = "rules-1"  # counts up when an equal request would get another text

    @classmethod
    def from_pretrained(cls, folder: str | Path | None = None) -> Rules:
        """Return the editor; there is nothing to load."""
        return cls()

    def rewrite(self, requests: Sequence[RewriteRequest]) -> list[Rewrite]:
        """Return a wrong version of each text, or the failure "nothing to change"."""
        return [_rewrite(request) for request in requests]


def _rewrite(request: RewriteRequest) -> Rewrite:
    text = request.text
    vocabulary = _vocabulary(request)
    offered = [*_english.edits(text, vocabulary), *_chinese.edits(text, vocabulary)]
    chosen = sorted(_chosen(text, offered, request), key=lambda edit: edit.start)
    if not chosen:
        return Rewrite(None, failure=NOTHING_TO_CHANGE)
    wrong = applied(text, Edit("", tuple(place for edit in chosen for place in edit.places)))
    return Rewrite(wrong.strip(), tuple(_change(text, edit) for edit in chosen))


def _vocabulary(request: RewriteRequest) -> tuple[str, ...]:
    """Return the findings to name: those asked for, else the modality's, else all."""
    listed = request.vocabulary or BY_MODALITY.get(request.modality, ())
    nouns = tuple(name for name in listed if name not in GENERAL and (name in FINDINGS or request.vocabulary))
    return nouns if len(nouns) > 1 else tuple(FINDINGS)


def _chosen(text: str, offered: Sequence[Edit], request: RewriteRequest) -> Iterator[Edit]:
    """Choose a kind, then an edit of it, at most one per sentence: a second one might undo the first."""
    draw = random.Random(request.seed)
    left = [edit for edit in offered if _differs(text, edit) and not _denied(text, edit)]
    for _ in range(max(1, request.changes)):
        kinds = list(dict.fromkeys(edit.kind for edit in left))
        if not kinds:
            return
        kind = draw.choice(kinds)
        edit = draw.choice([edit for edit in left if edit.kind == kind])
        yield edit
        left = [other for other in left if not _share_a_sentence(text, edit, other)]


def _denied(text: str, edit: Edit) -> bool:
    """Return whether a sentence denies what `edit` changes: "no effusion" -> "no nodule" need not be wrong."""
    if edit.kind in ("negation", "answer"):
        return False
    return any(DENIAL.search(text, start, end) for start, end in sentences(text) if start <= edit.places[0].start < end)


def _differs(text: str, edit: Edit) -> bool:
    return applied(text, edit).split() != text.split()


def _share_a_sentence(text: str, one: Edit, other: Edit) -> bool:
    first, second = (
        {start for start, end in sentences(text) for place in edit.places if place.start < end and start < place.end}
        for edit in (one, other)
    )
    return bool(first & second)


def _change(text: str, edit: Edit) -> Change:
    return Change(edit.kind, *written(text, edit))
