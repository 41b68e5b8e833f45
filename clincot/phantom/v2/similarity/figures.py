"""A CLIP of version 2 and held-out images -> how well it ranks images by a word, as gates, and its card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from clincot.phantom.drawing.anatomy import SIDES, ZONES
from clincot.phantom.grounder.figures import auc
from clincot.phantom.v2.draw import Radiograph, draw
from clincot.phantom.v2.gates.gate import Gate, gate_table
from clincot.phantom.v2.objects import LESION, RANGES
from clincot.phantom.v2.policy.looks import around
from clincot.phantom.v2.similarity.texts import COUNTS, WORDS
from clincot.phantom.v2.texts.statements import SIZES
from clincot.regions.clip_patches import ClipPatches

LEAST = 0.55  # AUC; above chance is what FiSAO needs
TEMPLATE = "an image showing {}"  # FiSAO's
GROUPS = {"a nodule": (LESION,), "its side": SIDES, "its zone": ZONES, "its size": SIZES, "how many": COUNTS}


def similarity_gates(folder: Path, seed: int, count: int) -> list[Gate]:
    """Match words with `count` held-out images, and the word nodule with crops around every object."""
    clip = ClipPatches.from_pretrained(folder, key="similarity")
    bank = [draw(seed, RANGES["held_out"] + number) for number in range(count)]
    whole = [_grey(drawn) for drawn in bank]
    scores = {word: np.array(clip.similarity(whole, [TEMPLATE.format(word)] * count)) for word in WORDS}
    gates = [_of_images(name, words, scores, bank) for name, words in GROUPS.items()]
    return [_of_crops(clip, bank, seed), *gates]


def _of_crops(clip: ClipPatches, bank: Sequence[Radiograph], seed: int) -> Gate:
    rng = np.random.default_rng([seed, 63])
    looks = [(drawn, thing) for drawn in bank for thing in drawn.layout.things]
    crops = [_grey(drawn).crop(around(thing, rng)) for drawn, thing in looks]
    scores = np.array(clip.similarity(crops, [TEMPLATE.format(LESION)] * len(crops)))
    value = auc(scores, np.array([thing.lesion for _, thing in looks]))
    return Gate("word nodule, crop of a nodule against one of a distractor (AUC)", value, LEAST, count=len(looks))


def _of_images(name: str, words: Sequence[str], scores: dict[str, np.ndarray], bank: Sequence[Radiograph]) -> Gate:
    """Return the mean AUC over `words` of whole images of which the word is true against the others."""
    found = []
    for word in words:
        true = np.array([WORDS[word](drawn.layout.lesions) for drawn in bank])
        if true.any() and not true.all():
            found.append(auc(scores[word], true))
    value = float(np.mean(found)) if found else float("nan")
    return Gate(f"words for {name}, whole images (mean AUC)", value, count=len(bank))


def _grey(drawn: Radiograph) -> Image.Image:
    return Image.fromarray(drawn.image).convert("RGB")


def similarity_card(gates: Sequence[Gate], seed: int, policy: str) -> str:
    """The model card of a trained CLIP: what it is, whose tower it has, how it was made, what it can do."""
    return f"""---
license: apache-2.0
library_name: transformers
tags: [clincot, phantom, similarity]
---
# Phantom similarity, version 2

A tiny CLIP that matches words and sentences with drawn chest phantoms of version 2, for the role `similarity`. Its
image tower is that of `clincot/phantom-v2-{policy}`, weight by weight. It has seen no real radiograph: not for clinical
use.

## Made by

    clincot phantom pretrain --version 2 --only similarity

Seed {seed}. The text tower and both projections are trained, the image tower is frozen. Weights are stored in float16.
At 48 pixels a whole image cannot tell nodules from what resembles them, so words about whole images match weakly.

## Held-out figures

{gate_table(gates)}
"""
