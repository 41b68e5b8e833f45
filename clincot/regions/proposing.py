"""The images and questions of some examples, and a proposer -> the heat maps of each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL.Image import Image

from clincot.chain.hypotheses import hypotheses
from clincot.images.true_regions import shown_regions
from clincot.records import Example
from clincot.regions.base import HeatMap, Proposer, Subject


def heat_maps(
    proposer: Proposer,
    one_of: Mapping[str, Example],
    decoded: Mapping[str, Image],
    questions: Mapping[str, Sequence[str]],
    count: int,
) -> dict[str, Sequence[HeatMap]]:
    """Return image id -> its heat maps, for at most `count` hypotheses of an image; all images go in one call.

    `one_of` holds an example of each image, `decoded` the image (RGB), `questions` all questions about it, because its
    hypotheses come from all of them.
    """
    subjects = [Subject(name, decoded[name], shown_regions(one)) for name, one in one_of.items()]
    wanted = [hypotheses(one.modality, questions[name], count, proposer.known) for name, one in one_of.items()]
    return dict(zip(one_of, proposer.heat_maps(subjects, wanted), strict=True))
