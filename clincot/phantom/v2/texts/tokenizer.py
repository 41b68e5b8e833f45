"""Every text of version 2 -> its byte-level BPE tokenizer, made as version 1's is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from transformers import PreTrainedTokenizerFast

from clincot.chain import prompts
from clincot.phantom.drawing.anatomy import SIDES, ZONES
from clincot.phantom.texts import tokenizer
from clincot.phantom.v2.texts.statements import FORMS, SIZES, UNSEEN_FORMS, Statement, said_of, write
from clincot.phantom.v2.texts.wording import ASKED, UNSEEN

OFTEN = 50  # the prompts are in every row, so their words become whole tokens


def train_tokenizer() -> PreTrainedTokenizerFast:
    """Train on all texts of version 2; no image is drawn."""
    return tokenizer.train_tokenizer(world_texts())


def world_texts() -> Iterator[str]:
    """Yield the prompts, every question in every wording, every statement of one or two nodules, and answers."""
    for _ in range(OFTEN):
        yield from tokenizer.prompt_texts()
        yield from (" " + word for word in (*SIZES, *SIDES, *ZONES, "mild", "moderate", "severe", "yes", "no", "none"))
        yield from ("mild", "moderate", "severe", "yes", "no", "left", "right", *ZONES, "No nodule is seen.")
        yield " Findings so far:"
        yield prompts.COMPARE
    for texts in (*ASKED.values(), *UNSEEN.values()):
        for _ in range(OFTEN // 5):
            yield from texts
    for number, size, side, zone in itertools.product(range(1, 5), range(len(SIZES)), SIDES, ZONES):
        statement = Statement(number, size, side, zone)
        yield from (write(statement, form) for form in (*FORMS, *UNSEEN_FORMS))
        yield f" There is {said_of(statement)}."
