"""A grounder and held-out images of version 2 -> how many nodules its regions hold, as gates, and its card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from PIL import Image

from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.gates.gate import Gate, gate_table
from clincot.phantom.v2.grounder.plan import GrounderPlan
from clincot.phantom.v2.objects import LESION, RANGES, Layout, Thing
from clincot.recipe import Regions
from clincot.records import Box
from clincot.regions.base import Proposer, Subject
from clincot.regions.extract import find_regions

# A nodule of radius 3 makes a component of .3 % of the image, and an image holds up to nine objects.
SETTINGS = Regions(smallest=0.001, per_hypothesis=6, least_side=64, crop="box")
RECALL_LEAST = 0.90  # of six regions
FIRST = (0.55, 0.70)  # share of images with a nodule whose first region holds one
LARGEST = 96  # pixels a side: a view of 48 pixels of a larger region no longer shows what tells the kinds apart


@dataclass(frozen=True)
class Found:
    """A layout and the regions that a grounder proposes for its image, the strongest first."""

    layout: Layout = field(repr=False)
    boxes: tuple[Box, ...]

    def held(self, things: Iterable[Thing], first: int) -> int:
        """Count those of `things` whose centre lies in one of the `first` regions of at most 96 pixels a side."""
        return sum(any(_inside(thing, box) for box in self.boxes[:first]) for thing in things)


def _inside(thing: Thing, box: Box) -> bool:
    x, y = thing.centre
    if max(box.right - box.left, box.lower - box.upper) > LARGEST:
        return False
    return box.left <= x < box.right and box.upper <= y < box.lower


def find(grounder: Proposer, seed: int, indices: Sequence[int], *, contrast: float = 1.0) -> list[Found]:
    """Propose regions for the images `indices` of the world `seed`."""
    found = []
    for start in range(0, len(indices), 64):
        drawn = [draw(seed, index, contrast=contrast) for index in indices[start : start + 64]]
        images = [Image.fromarray(one.image).convert("RGB") for one in drawn]
        subjects = [Subject(str(one.layout.index), image) for one, image in zip(drawn, images, strict=True)]
        maps = grounder.heat_maps(subjects, [[LESION]] * len(drawn))
        for one, image, (heat_map,) in zip(drawn, images, maps, strict=True):
            regions = find_regions(image, heat_map, SETTINGS)
            found.append(Found(one.layout, tuple(region.box for region in regions)))
    return found


def grounder_gates(grounder: Proposer, seed: int, count: int) -> list[Gate]:
    """Measure a grounder on `count` images of the held-out range, and on as many with less contrast."""
    indices = range(RANGES["held_out"], RANGES["held_out"] + count)
    found = find(grounder, seed, indices)
    lesions = [len(one.layout.lesions) for one in found]
    small = [[thing for thing in one.layout.lesions if thing.band == "small"] for one in found]
    others = sum(len(one.layout.distractors) for one in found)
    shown = [one for one in found if one.layout.lesions]
    dim = find(grounder, seed, indices, contrast=0.8)
    return [
        Gate("nodules in one of six regions (recall@6)", _recall(found, 6), RECALL_LEAST, count=sum(lesions)),
        Gate("images with a nodule whose first region holds one (recall@1)", _first(shown), *FIRST, len(shown)),
        Gate("nodules in one of three regions", _recall(found, 3), count=sum(lesions)),
        Gate(
            "small nodules in one of six regions",
            sum(one.held(things, 6) for one, things in zip(found, small, strict=True)) / max(sum(map(len, small)), 1),
            count=sum(map(len, small)),
        ),
        Gate(
            "distractors in one of six regions",
            sum(one.held(one.layout.distractors, 6) for one in found) / max(others, 1),
            count=others,
        ),
        Gate("regions an image", float(np.mean([len(one.boxes) for one in found])), count=len(found)),
        Gate("nodules in one of six regions, contrast x .8", _recall(dim, 6), count=sum(lesions)),
    ]


def _recall(found: Sequence[Found], first: int) -> float:
    lesions = sum(len(one.layout.lesions) for one in found)
    return sum(one.held(one.layout.lesions, first) for one in found) / max(lesions, 1)


def _first(shown: Sequence[Found]) -> float:
    return sum(one.held(one.layout.lesions, 1) > 0 for one in shown) / max(len(shown), 1)


def grounder_card(gates: Sequence[Gate], plan: GrounderPlan, seed: int) -> str:
    """The model card of a trained grounder: what it is, how it was made, what it can do."""
    numbers = ", ".join(f"{key} {value}" for key, value in asdict(plan).items())
    return f"""---
license: apache-2.0
library_name: transformers
tags: [clincot, phantom, grounding]
---
# Phantom grounder, version 2

Finds what may be a nodule in drawn chest phantoms of version 2: nodules, and the distractors that resemble them.
It proposes the regions of the embedded benchmark and has seen no real radiograph: not for clinical use.

The network is that of version 1 (a small ResNet trunk, one learned query, cross-attention as the heat map), on a grey
128 x 128 image. Its map is trained on the boxes of all objects, so that it does not answer what only a crop can
answer; its presence logit is trained on nodules. Regions are the components of one map: `smallest` .001 and
`per_hypothesis` 6.

## Made by

    clincot phantom pretrain --version 2 --only grounder

Trained from scratch, seed {seed}:
{numbers}.

## Held-out figures

Images of the held-out range; a region of at most 96 pixels a side holds an object when it holds its centre.

{gate_table(gates)}
"""
