"""A pair of another project -> the rules by which it teaches no preference, or a wrong one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clincot.rows.formats.base import OtherPair
from clincot.rows.odd_texts import EMPTY, EQUAL, WEIGHT, same_words, words
from clincot.rows.stored_messages import read_content
from clincot.stages.exchange.gold import Gold

# What MMedPO's released rows hold of the prompt that they were written by.
LEAK = re.compile(r"(original|candidate|dispreferred) answer|candidate response|answer ?1\b", re.IGNORECASE)
ECHO = re.compile(r"^\W*question\s*:", re.IGNORECASE)
ZERO, NEGATIVE = "with weight 0", "with a margin below 0"
LEAKS = {side: f"whose {side} text repeats a prompt" for side in ("chosen", "rejected")}
NOT_GOLD, UNKNOWN = "whose chosen text is not the gold answer", "whose question has no gold answer"
NO_MARGIN, OWN_MARGIN = "none", "column"  # what else a margin may be than a number
# Names for --keep; what training would leave out in any case has none.
KEEPABLE = {"zero-weight": (ZERO,), "leak": tuple(LEAKS.values()), "not-gold": (NOT_GOLD,)}


@dataclass(frozen=True)
class Rules:
    """Which rules hold for a format: `leaks` where its texts are known to repeat prompts; `gold` where it is known."""

    leaks: bool
    gold: Gold | None = None

    def broken(self, pair: OtherPair, image: str | None) -> list[str]:
        """Return the rules that the pair breaks; `image` is the name of its first image, for the gold answers."""
        found = [
            (EMPTY, not words(pair.chosen) or not words(pair.rejected)),
            (EQUAL, same_words(pair.chosen, pair.rejected) and pair.chosen_images == pair.rejected_images),
            (WEIGHT, (pair.weight or 0) < 0),
            (NEGATIVE, (pair.margin or 0) < 0),
            (ZERO, pair.weight == 0),
        ]
        if self.leaks:
            found += [(LEAKS[side], leaks(getattr(pair, side))) for side in LEAKS]
        if self.gold is not None:
            gold = self.gold.says(image, question_of(pair), pair.chosen)
            found += [(NOT_GOLD, gold is False), (UNKNOWN, gold is None)]
        return [rule for rule, breaks in found if breaks]


def leaks(text: str) -> bool:
    """Return whether a text repeats the prompt that it was written by."""
    return bool(LEAK.search(text) or ECHO.search(text))


def question_of(pair: OtherPair) -> str:
    """Return the text of the prompt's last turn."""
    content = read_content(pair.prompt[-1]["content"])
    return content if isinstance(content, str) else " ".join(block.get("text", "") for block in content)
