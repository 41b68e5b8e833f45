"""The probes of a recipe -> what is changed of image, region or finding before a policy is asked again, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from PIL import Image

from clincot.chain.hypotheses import is_organ, named_entities
from clincot.chain.layout import Display
from clincot.editors.base import RewriteRequest
from clincot.editors.rules import Rules
from clincot.images import corruptions
from clincot.images.hiding import dimmed, filled, mask_of, moved
from clincot.images.true_regions import shown_regions
from clincot.images.views import Gallery
from clincot.recipe import ImageLayout
from clincot.recipe.parts import Probe
from clincot.records import Example, TrueRegion, View
from clincot.regions.annotated import shows
from clincot.stages.evaluate.controls import BLACK

CROP_SWAPPED, CROP_BLACK, CROP_DIMMED = "crop_swapped", "crop_black", "crop_dimmed"
CONTRADICTED, REPEATED = "finding_contradicted", "finding_repeated"
LESIONS_MASKED, ELSEWHERE_MASKED, DIMMED = "lesions_masked", "elsewhere_masked", "image_dimmed"
OF_CROPS = (CROP_SWAPPED, CROP_BLACK, CROP_DIMMED)
OF_FINDINGS = (CONTRADICTED, REPEATED)
OF_IMAGES = (DIMMED, LESIONS_MASKED, ELSEWHERE_MASKED)
INTERVENTIONS = (*OF_CROPS, *OF_FINDINGS, *OF_IMAGES)
BRIGHTNESS = 0.9  # of what is dimmed: other pixels, the same content
TRIES = 16  # seeds in which the rules are asked for a denial
Way = tuple[str, str]


def ways_of(probes: Sequence[Probe], inference: Sequence[str], *, single: bool) -> tuple[Way, ...]:
    """Return the ways (inference, intervention) in which the probes ask again about the same group of images.

    Black images are a control of every table; they are here for recipes that leave them out. `single`: there is one
    image only, and nothing to swap.
    """
    ways: list[Way] = []
    if "image" in probes:
        ways += [(how, name) for name in (BLACK, *OF_IMAGES) for how in inference]
    if "faithfulness" in probes and "region" in inference:
        ways += [("region", name) for name in (*OF_CROPS, *OF_FINDINGS) if not (single and name == CROP_SWAPPED)]
    return tuple(ways)


def contradicted(example: Example, findings: Sequence[str]) -> tuple[str, ...]:
    """Return the findings made wrong by rules, () where none of them can be; a denial is taken where there is one."""
    wrong = [_wrong(finding, example.modality) for finding in findings]
    return tuple(new or old for new, old in zip(wrong, findings, strict=True)) if any(wrong) else ()


def repeated(findings: Sequence[str]) -> tuple[str, ...]:
    """Return the findings said twice: another prompt that says the same.

    Words of another kind before them ("On review:") changed more answers of the phantom's policy than a contradiction.
    """
    return tuple(f"{finding} {finding}" for finding in findings)


@lru_cache(1 << 14)  # asked for the contradiction and for its control, of every policy
def _wrong(finding: str, modality: str) -> str:
    """Return the denial of a finding, else any wrong version of it, "" without one.

    The shortest is taken: of "No effusion is seen" it is "Effusion is seen", not "No effusion is not seen".
    """
    asked = [RewriteRequest(finding, "", seed, modality) for seed in range(TRIES)]
    found = [reply for reply in Rules().rewrite(asked) if reply.text]
    denied = [reply for reply in found if any(change.kind in ("negation", "answer") for change in reply.changes)]
    return min((reply.text or "" for reply in denied or found), key=lambda text: (len(text), text), default="")


def lesions(example: Example) -> tuple[TrueRegion, ...]:
    """Return the known regions of the shown image that are of no organ."""
    return tuple(region for region in shown_regions(example) if not is_organ(region.finding))


def bears_on_lesions(example: Example) -> bool:
    """Return whether the answer lies in the lesions: the question names one of them, or asks for the report."""
    found = lesions(example)
    if example.answer_type == "report":
        return bool(found)
    named = named_entities([example.question])
    return any(shows(region.finding, name) for region in found for name in named)


class ChangedGallery(Gallery):
    """A gallery whose primary images are changed as an intervention says; crops are cut out of the changed image."""

    def __init__(self, examples: Sequence[Example], name: str) -> None:
        super().__init__(examples)
        self._name = name
        self._of = {example.id: example for example in examples}
        self._masks: dict[str, np.ndarray | None] = {}
        self._changed: dict[str, Image.Image] = {}

    def image(self, example_id: str, number: int = 0) -> Image.Image:
        """Return the changed image; `possible` says of which examples there is one. Raises UnreadableImage.

        All images of an example are dimmed, as all are black in what that is the control of.
        """
        plain = super().image(example_id, number)
        if number:
            return dimmed(plain, BRIGHTNESS) if self._name == DIMMED else plain
        name = self.image_id(example_id)
        if name not in self._changed:
            mask = None if self._name == DIMMED else self._mask(example_id)
            self._changed[name] = dimmed(plain, BRIGHTNESS) if mask is None else filled(plain, mask)
        return self._changed[name]

    def possible(self, example: Example) -> bool:
        """Return whether the intervention applies: both masks or neither, so that a mask and its control compare."""
        if self._name == DIMMED:
            return True
        return bears_on_lesions(example) and self._mask(example.id) is not None

    def _mask(self, example_id: str) -> np.ndarray | None:
        """Return the pixels to hide, None where the image has no lesion, or no place for a mask next to it."""
        example = self._of[example_id]
        if example.image_id not in self._masks:
            mask = mask_of(lesions(example), super().image(example_id).size)
            elsewhere = moved(mask, example.image_id)
            here = elsewhere is not None and self._name == LESIONS_MASKED
            self._masks[example.image_id] = mask if here else elsewhere
        return self._masks[example.image_id]


class ChangedCrops(Display):
    """Shows whole images as they are and other crops: black, dimmed, or those of `other`, which shows another image."""

    def __init__(self, gallery: Gallery, layout: ImageLayout, name: str, other: Gallery | None = None) -> None:
        super().__init__(gallery, layout)
        self._name, self._other = name, other

    def _seen(self, example_id: str, view: View) -> Image.Image:
        if view.kind != "crop":
            return super()._seen(example_id, view)
        if self._other is not None:
            return self._other.show(example_id, view)
        crop = self.gallery.show(example_id, view)
        return corruptions.black(crop) if self._name == CROP_BLACK else dimmed(crop, BRIGHTNESS)


def changed_findings(
    name: str, examples: Sequence[Example], written: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Return example id -> the findings to go on from; those of no finding, or of none that can be wrong, are left out.

    A finding that has no contradiction is not repeated either: the two are compared on the same questions.
    """
    made: dict[str, tuple[str, ...]] = {}
    for example in examples:
        findings = written.get(example.id, ())
        wrong = contradicted(example, findings) if findings else ()
        if wrong:
            made[example.id] = wrong if name == CONTRADICTED else repeated(findings)
    return made
