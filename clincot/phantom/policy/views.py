"""A phantom and a region -> the 48-pixel grey view the policy's processor would make of it, and its patch labels."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
import torch
from PIL import Image

from clincot.phantom.drawing.anatomy import SIDES, ZONES
from clincot.phantom.drawing.draw import Phantom, random_region, region_around
from clincot.phantom.drawing.findings import FINDINGS
from clincot.phantom.policy.network import MEAN, PATCH, PIXELS, STD
from clincot.records import Box

WHOLE = Box(0, 0, 256, 256)
FILL = int(255 * MEAN[0])  # the processor pads to a square with the mean grey
NODULE_SHARE, OTHER_SHARE = 0.12, 0.35  # of a patch: a nodule never fills one


class Drawn(Protocol):
    """A drawn image of any version: uint8 greys, 256 x 256."""

    @property
    def image(self) -> np.ndarray: ...


def view(phantom: Drawn, box: Box = WHOLE) -> np.ndarray:
    """Cut `box` out, pad it to a square and scale it to 48 x 48 uint8."""
    return _scale(phantom.image[box.upper : box.lower, box.left : box.right])


def masked_view(phantom: Phantom, box: Box, rng: np.random.Generator) -> np.ndarray:
    """Like `view`, but with everything outside an ellipse blanked, as cut-outs of irregular regions look."""
    cut = phantom.image[box.upper : box.lower, box.left : box.right].copy()
    inside = np.zeros(cut.shape, np.uint8)
    height, width = cut.shape
    axes = (int(width * rng.uniform(0.42, 0.5)), int(height * rng.uniform(0.42, 0.5)))
    cv2.ellipse(inside, (width // 2, height // 2), axes, 0, 0, 360, 1, -1)
    cut[inside == 0] = rng.choice([0, FILL, 255])
    return _scale(cut)


def _scale(cut: np.ndarray) -> np.ndarray:
    height, width = cut.shape
    if height != width:
        side = max(height, width)
        square = np.full((side, side), FILL, np.uint8)
        top, left = (side - height) // 2, (side - width) // 2
        square[top : top + height, left : left + width] = cut
        cut = square
    return np.asarray(Image.fromarray(cut).resize((PIXELS, PIXELS), Image.Resampling.BICUBIC))


def pixel_values(views: list[np.ndarray]) -> torch.Tensor:
    """Normalise grey views into `pixel_values`, float32 of shape (views, 3, 48, 48)."""
    grey = torch.from_numpy(np.stack(views)).float().div_(255).sub_(MEAN[0]).div_(STD[0])
    return grey[:, None].expand(-1, 3, -1, -1)


def patch_labels(phantom: Phantom, box: Box = WHOLE) -> np.ndarray:
    """Say which findings each of the 6 x 6 patches of a square region shows: float32 of shape (36, findings)."""
    cells = PIXELS // PATCH
    labels = np.zeros((cells, cells, len(FINDINGS)), np.float32)
    for finding in phantom.findings:
        part = finding.mask[box.upper : box.lower, box.left : box.right].astype(np.float32)
        share = cv2.resize(part, (cells, cells), interpolation=cv2.INTER_AREA)
        least = NODULE_SHARE if finding.name == "nodule" else OTHER_SHARE
        labels[:, :, FINDINGS.index(finding.name)] = share > min(least, 0.8 * share.max() + 1e-6)
    return labels.reshape(cells * cells, len(FINDINGS))


def location_labels(phantom: Phantom) -> np.ndarray:
    """Split the patch labels of the global view by side and zone: float32 of shape (36, findings x sides x zones).

    They make the tower keep, next to what a patch shows, where it lies.
    """
    patches = patch_labels(phantom)
    labels = np.zeros((len(patches), len(FINDINGS), len(SIDES), len(ZONES)), np.float32)
    for finding in phantom.findings:
        if finding.side:
            column = FINDINGS.index(finding.name)
            labels[:, column, SIDES.index(finding.side), ZONES.index(finding.zone)] = patches[:, column]
    return labels.reshape(len(patches), -1)


def training_region(phantom: Phantom, rng: np.random.Generator) -> Box:
    """Choose a region as proposers do: on a finding (40 %), where any finding may lie (40 %), or anywhere (20 %)."""
    chance = rng.random()
    if chance < 0.2:
        return random_region([phantom.box_of(name) for name in FINDINGS], rng)
    names = phantom.names if chance < 0.6 and phantom.names else FINDINGS
    return region_around(phantom.box_of(str(rng.choice(names))), rng)
