"""Which metrics take other inputs than texts, need what this machine may lack, or are best at 0."""

from __future__ import annotations

from nltk import data

CLINICAL = ("chexbert_f1", "radgraph_f1", "ratescore")
GROUNDING = ("pointing_game", "region_iou", "lesion_share")
LOWER_IS_BETTER = ("hallucination_rate", "omission_rate", "calibration")


def has_word_net() -> bool:
    try:
        data.find("corpora/wordnet")
    except LookupError:
        return False
    return True


def runnable(names: object) -> list[str]:
    """Return those of `names` whose data are on this machine."""
    return [n for n in names if n not in CLINICAL and (n != "meteor_wordnet" or has_word_net())]
