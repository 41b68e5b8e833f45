"""A layout, a crop and a generator -> texts about the crop, right in none to all of their parts, with their rating."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clincot.phantom.v2.objects import Layout
from clincot.phantom.v2.policy.looks import chain_of, seen
from clincot.phantom.v2.texts.balance import SHARES
from clincot.phantom.v2.texts.questions import answer_from
from clincot.phantom.v2.texts.statements import FORMS, level, shown, statement_of, write
from clincot.phantom.v2.texts.variants import CHOICES, pick, varied
from clincot.phantom.v2.texts.wording import ASKED
from clincot.records import Box

STATEMENTS = 6  # about a crop
LEVELS = 5


@dataclass(frozen=True)
class Group:
    """Texts about one crop that answer one question; `levels` (0 to 1): how much of each is right."""

    question: str
    findings: tuple[str, ...]
    texts: tuple[str, ...]
    levels: tuple[float, ...]
    report: bool = False


def finding_group(layout: Layout, crop: Box, rng: np.random.Generator) -> Group:
    """Return statements about `crop` as steps of a chain make them."""
    true = statement_of(shown(layout.lesions, crop))
    said = [varied(true, rng) for _ in range(STATEMENTS)]
    kind = str(rng.choice(tuple(SHARES)))
    texts = tuple(write(one, pick(FORMS, rng)) for one in said)
    levels = tuple(level(one, true) / LEVELS for one in said)
    return Group(pick(ASKED[kind], rng), (), texts, levels, kind == "report")


def answer_group(layout: Layout, crop: Box, rng: np.random.Generator) -> Group | None:
    """Return answers of a chain that ends at `crop`: the true one and others of its kind; None if it has none."""
    kind = str(rng.choice([name for name in SHARES if name not in ("box", "report")]))
    true = answer_from(kind, layout.lesions)
    if true is None:
        return None
    known = seen(layout.lesions, [*chain_of(layout, 2, rng), crop])
    others = [text for text in CHOICES[kind] if text != true]
    texts = (true, *(str(text) for text in rng.permutation(others)[:3]))
    findings = (write(statement_of(known), pick(FORMS, rng)),)
    return Group(pick(ASKED[kind], rng), findings, texts, (1.0, *(0.0 for _ in texts[1:])))
