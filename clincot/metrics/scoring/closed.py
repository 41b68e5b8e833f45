"""An answer to a closed question and its gold -> hit or miss, by one of nine rules (docs/metrics.md#closed-rules).

The rule alone moves the score of the same answers by up to 50 points, so every number carries its rule's name.
"""

from __future__ import annotations

from collections.abc import Callable

from clincot.errors import ClincotError, did_you_mean
from clincot.metrics.base import Score, mean
from clincot.metrics.reading import medevalkit as medevalkit_code
from clincot.metrics.reading.exact import clincot_strict, lmms_eval
from clincot.metrics.reading.medevalkit import ANSWER_MARKS
from clincot.metrics.reading.normalisation import normalise
from clincot.metrics.reading.yes_no import whole_yes_no
from clincot.metrics.scoring import closed_v2

YES_NO = ("yes", "no")
OURS = "clincot-v2"
ENCLOSED = (("boxed{", "}"), ("<answer>", "</answer>"))
NEGATIVE = {"No", "not", "no"}


def is_yes_no(gold: str, rule: str = "default") -> bool:
    """Whether the gold is a yes or a no as the rule reads golds; Chinese ones are known to clincot-v2 alone."""
    return whole_yes_no(gold) is not None if rule == OURS else normalise(gold) in YES_NO


def stated(prediction: str) -> str | None:
    """Return the first standalone yes or no of N(prediction), None when it holds neither."""
    return next((word for word in normalise(prediction).split() if word in YES_NO), None)


def default(prediction: str, gold: str) -> bool:
    """Yes/no gold: the first standalone yes or no decides. Other gold: a contiguous run of whole words."""
    wanted = normalise(gold)
    if not wanted:
        return False
    if wanted in YES_NO:
        return stated(prediction) == wanted
    return f" {wanted} " in f" {normalise(prediction)} "


def llava_med_v1(prediction: str, gold: str) -> bool:
    """LLaVA-Med run_eval.py after b9a98a7: substrings, gated by "yes" or "no" anywhere ("normal" and "not" count)."""
    said = normalise(prediction)
    return ("yes" in said or "no" in said) and normalise(gold) in said


def llava_med_batch(prediction: str, gold: str) -> bool:
    """LLaVA-Med run_eval_batch.py: N(gold) is a substring of N(prediction)."""
    return normalise(gold) in normalise(prediction)


def _inside(text: str, opening: str, closing: str) -> str:
    """Return what the first `opening` and the next `closing` enclose, else `text`.

    Not the original's regular expression: on 100,000 characters of unclosed openings that one is quadratic.
    """
    _, found, rest = text.partition(opening)
    inside, closed, _ = rest.partition(closing)
    return inside if found and closed else text


def medevalkit(prediction: str, gold: str) -> bool:
    """MedEvalKit's rule with the first box or tag instead of the last: `medevalkit-v2` is the original."""
    said, wanted = prediction.lower(), gold.lower()
    for opening, closing in ENCLOSED:
        said = _inside(said, opening, closing)
    for mark in ANSWER_MARKS:
        said = said.rpartition(mark)[2]
    said = said.replace("\n", "").replace(".", "")
    if wanted in YES_NO:
        return ("yes" in said) != ("no" in said) and wanted in said
    return said == wanted


def cares_yesno(prediction: str, gold: str) -> bool:
    """richard-peng-xia/CARES eval_yesno.py@a743fe0: case-sensitive, everything that is not negative is yes."""

    def negative(text: str) -> bool:
        return not NEGATIVE.isdisjoint(text.partition(".")[0].replace(",", "").split(" "))

    return negative(prediction) == negative(gold)


RULES: dict[str, Callable[[str, str], bool]] = {
    "default": default,
    "llava-med-v1": llava_med_v1,
    "llava-med-batch": llava_med_batch,
    "lmms-eval": lambda prediction, gold: lmms_eval(prediction) == lmms_eval(gold),
    "medevalkit": medevalkit,
    "medevalkit-v2": medevalkit_code.hit,
    "cares-yesno": cares_yesno,
    "clincot-strict": lambda prediction, gold: clincot_strict(prediction) == clincot_strict(gold),
    OURS: closed_v2.hit,
}


def unparsed(prediction: str, gold: str) -> bool:
    """Return whether a yes/no question got an answer that says neither."""
    return is_yes_no(gold) and stated(prediction) is None


UNPARSED: dict[str, Callable[[str, str], bool]] = {"default": unparsed, OURS: closed_v2.unparsed}


def accuracy(rule: str = "default") -> Score:
    if rule not in RULES:
        raise ClincotError(f"closed rule {rule!r}: no such rule.{did_you_mean(rule, RULES)}")
    return mean(RULES[rule])


def unparsed_rate(rule: str = "default") -> Score:
    """Share of yes/no questions whose answer says neither, as the rule reads both."""
    if rule not in UNPARSED:
        raise ClincotError(f"unparsed rule {rule!r}: no such rule.{did_you_mean(rule, UNPARSED)}")
    return mean(UNPARSED[rule])
