"""Phantoms with known boxes -> how often each proposer points into them, and how far its boxes overlap them.

Run as `python perf/pointing.py [--also medklip=FOLDER]`; prints the table of docs/regions.md.
`annotated` is the ceiling, `center`, `grid` and
`random` are the floor, whatever stands between has looked.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from clincot import phantom, recipe, regions
from clincot.phantom.drawing.draw import RANGES, draw
from clincot.phantom.drawing.findings import FINDINGS
from clincot.phantom.grounder.figures import Interval, show, wilson
from clincot.records import Box, TrueRegion
from clincot.regions.base import HeatMap, Proposer, Subject
from clincot.regions.extract import find_region

GROUNDER = Path(phantom.__file__).parent / "models" / "grounder"
KINDS = ("annotated", "query_grounder", "center", "grid", "random")
BOOTSTRAPS = 1000


@dataclass(frozen=True)
class Look:
    """One shown finding of one phantom under one proposer.

    `overlap`: intersection over union of the component's box with the true box; `held`: share of the true box inside
    the crop (padded, of the least side); `share`: of the image in the crop. All 0 where there is no region.
    """

    image: int
    finding: str
    hit: bool
    overlap: float
    held: float
    share: float


def subjects_of(images: int, seed: int = 0) -> list[Subject]:
    """Draw phantoms of the held-out range, on which nothing was trained."""
    drawn = [draw(seed, RANGES["held_out"] + number) for number in range(images)]
    return [
        Subject(str(p.index), Image.fromarray(p.image), tuple(TrueRegion(f.name, f.box) for f in p.findings))
        for p in drawn
    ]


def looks(proposer: Proposer, subjects: Sequence[Subject], settings: recipe.Regions) -> list[Look]:
    """Ask for all five findings of every phantom, as a build does, and keep the shown ones."""
    bare = replace(settings, padding=0.0, least_side=1)
    found = []
    maps = proposer.heat_maps(subjects, [FINDINGS] * len(subjects))
    for number, (subject, heat_maps) in enumerate(zip(subjects, maps, strict=True)):
        by_name = {heat_map.hypothesis: heat_map for heat_map in heat_maps}
        rgb = subject.image.convert("RGB")
        for region in subject.true_regions:
            heat_map = by_name[region.finding]
            exact, cut = find_region(rgb, heat_map, bare), find_region(rgb, heat_map, settings)
            overlap = iou(exact.box, region.box) if exact else 0.0
            held = shared(cut.box, region.box) / area(region.box) if cut else 0.0
            share = area(cut.box) / (rgb.width * rgb.height) if cut else 0.0
            hit = points_into(heat_map, subject, region.box)
            found.append(Look(number, region.finding, hit, overlap, held, share))
    return found


def points_into(heat_map: HeatMap, subject: Subject, box: Box) -> bool:
    """Return whether the middle of the map's highest cells (pixels of the image) is in `box`; of a flat map never.

    The middle, since a mask is highest everywhere inside.
    """
    if heat_map.values.min() == heat_map.values.max():
        return False
    rows, columns = np.nonzero(heat_map.values == heat_map.values.max())
    height, width = heat_map.values.shape
    x = (columns.mean() + 0.5) / width * subject.image.width
    y = (rows.mean() + 0.5) / height * subject.image.height
    return bool(box.left <= x < box.right and box.upper <= y < box.lower)


def iou(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    both = shared(one, other)
    return both / (area(one) + area(other) - both)


def shared(one: Box, other: Box) -> int:
    """Pixels that lie in both boxes."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.lower, other.lower) - max(one.upper, other.upper)
    return max(width, 0) * max(height, 0)


def area(box: Box) -> int:
    """Pixels of a box."""
    return (box.right - box.left) * (box.lower - box.upper)


def mean_over_images(found: Sequence[Look], value: str, seed: int = 0) -> Interval:
    """The mean of `value` with its 95 % interval over images drawn with replacement."""
    numbers = np.array([look.image for look in found])
    values = np.array([getattr(look, value) for look in found], float)
    sums = np.bincount(numbers, values)
    counts = np.bincount(numbers)
    draws = np.random.default_rng(seed).integers(0, len(sums), (BOOTSTRAPS, len(sums)))
    means = sums[draws].sum(1) / np.maximum(counts[draws].sum(1), 1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def table(results: Mapping[str, Sequence[Look]]) -> str:
    """Return the Markdown table; per finding the pointing share."""
    heads = ("proposer", "n", "points into", "IoU", "finding inside the crop", "crop of the image", *FINDINGS)
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for kind, found in results.items():
        whole = wilson(sum(look.hit for look in found), len(found))
        cells = [kind, str(len(found)), show(whole)]
        cells += [show(mean_over_images(found, value)) for value in ("overlap", "held", "share")]
        for name in FINDINGS:
            own = [look.hit for look in found if look.finding == name]
            cells.append(f"{np.mean(own):.2f} ({len(own)})" if own else "-")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=int, default=400)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--also", action="append", default=[], metavar="KIND=FOLDER", help="as clip_patches=FOLDER")
    wanted = options.parse_args()
    settings = recipe.load_recipe("clincot", "phantom").build.regions
    subjects = subjects_of(wanted.images, wanted.seed)
    results = {}
    folders = dict.fromkeys(KINDS) | {"query_grounder": GROUNDER} | dict(one.split("=", 1) for one in wanted.also)
    for kind, folder in folders.items():
        proposer = regions.load(kind, folder)
        started = time.process_time()
        results[kind] = looks(proposer, subjects, settings)
        print(f"{kind}: {(time.process_time() - started) / len(subjects) * 1e3:.1f} ms of CPU an image", flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
