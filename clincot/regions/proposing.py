"""The images and questions of some examples, and a proposer -> the heat maps of each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL.Image import Image

from clincot.chain.hypotheses import hypotheses
from clincot.chain.own_hypotheses import Words, asked_as, own_hypotheses
from clincot.images.true_regions import shown_regions
from clincot.records import Example
from clincot.regions.annotated import Annotated
from clincot.regions.base import HeatMap, Proposer, Subject


def heat_maps(
    proposer: Proposer,
    one_of: Mapping[str, Example],
    decoded: Mapping[str, Image],
    questions: Mapping[str, Sequence[str]],
    count: int,
    own: Mapping[str, Words] | None = None,
) -> dict[str, Sequence[HeatMap]]:
    """Return image id -> its heat maps, for at most `count` hypotheses of an image; all images go in one call.

    `one_of` holds an example of each image, `decoded` the image (RGB), `questions` all questions about it, because its
    hypotheses come from all of them. `own`: a recipe's by modality, which replace those of the package.
    """
    subjects = [Subject(name, decoded[name], shown_regions(one)) for name, one in one_of.items()]
    wanted = [_wanted(proposer, one, questions[name], count, own or {}) for name, one in one_of.items()]
    return dict(zip(one_of, proposer.heat_maps(subjects, wanted), strict=True))


def _wanted(
    proposer: Proposer, one: Example, questions: Sequence[str], count: int, own: Mapping[str, Words]
) -> tuple[str, ...]:
    listed = own.get(one.modality)
    if listed is None:
        return hypotheses(one.modality, questions, count, proposer.known)
    if isinstance(proposer, Annotated):  # looks for anything, by the names that the benchmark has
        here = [region.finding for region in one.true_regions]
        listed = {asked_as(name, words, here) or name: (name, *words) for name, words in listed.items()}
    return own_hypotheses(listed, questions, count, proposer.known)
