"""Probabilities of a judge's replies, or the reply it wrote -> a rating in [0, 1], or a failure (value None).

A failed reply is no zero: UV-CoT's evaluation returns 0 for what it cannot parse, which poisons preferences
(docs/methods.md#judges).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clincot.chain.prompts import judge_messages
from clincot.errors import RecipeError, did_you_mean
from clincot.judges._written import TOP, number_in
from clincot.judges.base import JudgeRequest, Rating
from clincot.records import Message

LEAST_MASS = 0.1  # below it the model was not replying as asked (docs/methods.md#judges)
# Of a written reply. A model that replies with a digit stops at once; "I would rate this statement ..." takes 20 to 40.
REPLY_TOKENS = 64


def expected_digit(by_digit: Sequence[float]) -> Rating:
    """Turn the probabilities of the replies 0 to 9 into s = sum(v * p_v) / (9 * sum(p_v)).

    G-Eval's expectation: generated digits saturate, and 26 % of pairs tie (docs/methods.md#judges). Under LEAST_MASS
    there is no value.
    """
    mass = sum(by_digit)
    if mass < LEAST_MASS:
        return Rating(None, mass)
    return Rating(sum(v * p for v, p in enumerate(by_digit)) / (TOP * mass), mass)


def share_of_yes(by_word: Sequence[float]) -> Rating:
    """Turn the probabilities of yes and no into s = P_yes / (P_yes + P_no), as UV-CoT and RLAIF-V do."""
    yes, no = by_word
    if yes + no < LEAST_MASS:
        return Rating(None, yes + no)
    return Rating(yes / (yes + no), yes + no)


def written_digit(reply: str, mass: float, *, cut: bool = False) -> Rating:
    """Read the rating of a written reply, on the rubric's scale of 0 to 9 (`_written.py`); no value where it has none.

    `cut`: the reply ended at REPLY_TOKENS.
    """
    number = number_in(reply, cut=cut)
    return Rating(None if number is None else number / TOP, mass, reply)


@dataclass(frozen=True)
class ScoringMode:
    """How a rating is read: `replies` (each in all its spellings) weighed as the next token, or none and written out.

    Spellings with a leading space are needed because vocabularies differ in whether a word carries its space.
    """

    replies: tuple[tuple[str, ...], ...]
    weigh: Callable[[Sequence[float]], Rating]
    yes_or_no: bool = False

    def messages(self, request: JudgeRequest) -> list[Message]:
        """Return the turns that ask for this mode: a system and a user turn of plain text."""
        return judge_messages(
            request.question,
            request.reference,
            request.findings,
            request.statement,
            report=request.report,
            facts=request.facts,
            earlier=request.earlier,
            yes_or_no=self.yes_or_no,
            own=request.rubric,
        )


DIGITS = tuple((str(v), f" {v}") for v in range(10))
YES_AND_NO = (("yes", "Yes", " yes", " Yes"), ("no", "No", " no", " No"))
MODES = {
    "expected": ScoringMode(DIGITS, expected_digit),
    "yesno": ScoringMode(YES_AND_NO, share_of_yes, yes_or_no=True),
    "generated": ScoringMode((), expected_digit),
}


def mode_of(name: str) -> ScoringMode:
    """Return the scoring mode of that name; raises RecipeError for an unknown one."""
    if name not in MODES:
        raise RecipeError(f"build.judging.scoring: {name!r} is not a choice.{did_you_mean(name, MODES)}")
    return MODES[name]
