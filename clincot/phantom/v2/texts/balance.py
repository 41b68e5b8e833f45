"""The laws of the images -> how often each question is asked, by its answer: constants, and how they are counted."""

from __future__ import annotations

from collections import Counter

from clincot.phantom.v2.objects import objects
from clincot.phantom.v2.texts.answers import ANSWERS

SHARES = {  # of all questions, in percent
    "presence": 15,
    "side": 5,
    "zone": 5,
    "larger": 15,
    "count": 15,
    "more": 10,
    "second": 10,
    "severity": 10,
    "box": 5,
    "report": 10,
}
FREE = ("box", "report")  # too many answers to balance
# Chance of being asked, by kind and answer, as `counted_rates(7, 12_000)` gives them; a test asks other images.
RATES: dict[tuple[str, str], float] = {
    ("box", ""): 0.2301,
    ("count", "0"): 0.1691,
    ("count", "1"): 0.1381,
    ("count", "2"): 0.1368,
    ("count", "3"): 0.176,
    ("count", "4"): 0.3389,
    ("larger", "left"): 0.9247,
    ("larger", "right"): 1.0,
    ("more", "left"): 0.3335,
    ("more", "right"): 0.3126,
    ("presence", "no"): 0.4227,
    ("presence", "yes"): 0.1078,
    ("report", ""): 0.1146,
    ("second", "no"): 0.2301,
    ("second", "yes"): 0.1046,
    ("severity", "mild"): 0.2372,
    ("severity", "moderate"): 0.1073,
    ("severity", "severe"): 0.1364,
    ("side", "left"): 0.2273,
    ("side", "right"): 0.233,
    ("zone", "lower"): 0.2338,
    ("zone", "middle"): 0.2116,
    ("zone", "upper"): 0.248,
}


def counted_rates(seed: int, images: int) -> dict[tuple[str, str], float]:
    """Count answers over `images` layouts and return the chances that give SHARES with answers equally frequent.

    The rarest answer is asked whenever it can be, which fixes the number of questions an image.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for index in range(images):
        lesions = objects(seed, index).lesions
        for kind, answer_of in ANSWERS.items():
            answer = answer_of(lesions)
            if answer is not None:
                seen[kind, "" if kind in FREE else answer] += 1
    answers = Counter(kind for kind, _ in seen)
    wanted = {key: SHARES[key[0]] / answers[key[0]] for key in seen}
    room = min(seen[key] / wanted[key] for key in seen)
    return {key: round(room * wanted[key] / seen[key], 4) for key in sorted(seen)}
