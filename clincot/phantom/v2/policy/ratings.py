"""What a report tells of a crop and a generator -> a row in which a statement about the crop is rated, weakly.

The prompts are those of a judge that sees (`clincot.judges.vlm`), so that a policy can be asked for its own opinion.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clincot.chain.prompts import judge_messages
from clincot.phantom.policy.rows import Row
from clincot.phantom.v2.objects import Thing
from clincot.phantom.v2.texts.statements import FORMS, PARTS, level, shown, statement_of, write
from clincot.phantom.v2.texts.variants import pick, varied
from clincot.phantom.v2.texts.wording import ASKED
from clincot.records import Box

TOP = 9  # of the rubric
RIGHT = 0.5  # of the parts, from which a verdict is yes


def rating(nodules: Sequence[Thing], crop: Box, rng: np.random.Generator) -> Row:
    """Return a statement about `crop` with its rating by the share of its parts that the report tells as well."""
    told = statement_of(shown(nodules, crop))
    said = varied(told, rng)
    share = level(said, told) / PARTS
    verdict = bool(rng.random() < 0.5)
    question = pick(ASKED[pick(tuple(ASKED), rng)], rng)
    turns = judge_messages(question, None, (), write(said, pick(FORMS, rng)), yes_or_no=verdict)
    words = "\n\n".join(turn["content"] for turn in turns)
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "image"}, {"type": "text", "text": words}]}]
    answer = ("yes" if share > RIGHT else "no") if verdict else str(round(TOP * share))
    return Row(messages, answer, True)
