"""A question, the heat maps of its image and the answers of policies -> a piece of HTML with policies side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image

from clincot.images.crops import crop
from clincot.records import Region
from clincot.regions.base import HeatMap
from clincot.report.fragments.drawn import heated, outlined, outlines
from clincot.report.fragments.markup import WARNING, block, figure, fitted, line, row, text
from clincot.stages.evaluate.inference import Answer, Looked

SIDE = 384  # pixels of an image's longer side
SMALL = 192  # of a heat map's
CROP = 96  # of a crop's


def answers_html(
    image: Image.Image,
    question: str,
    maps: Sequence[HeatMap],
    regions: Sequence[Region],
    answers: Mapping[str, Answer],
) -> str:
    """Return the piece; `answers` are by policy, `image` (RGB) is what the policies saw."""
    crops = {Looked(one.hypothesis, one.box): crop(image, one.box, one.mask) for one in regions}
    policies = [_policy(name, answer, image, crops) for name, answer in answers.items()]
    found = [_map(image, one, regions) for one in maps]
    where = [block("Where each hypothesis shows", [row(found)])] if found else []
    return "".join([WARNING, line("question", question), row(policies), *where])


def image_html(image: Image.Image, name: str) -> str:
    """Return the piece for an image (RGB) that was taken in, under the name of its file."""
    return figure(outlined(image, (), fitted(image, SMALL)), f"{name}, {image.width} x {image.height} pixels", SMALL)


def problem_html(message: str) -> str:
    """Return the piece for what cannot be asked, and what to do."""
    return f'<p role="alert"><strong>Not answered.</strong> {text(message)}</p>'


def _policy(name: str, answer: Answer, image: Image.Image, crops: Mapping[Looked, Image.Image]) -> str:
    looked = list(dict.fromkeys(answer.regions))
    shown = figure(outlined(image, looked, fitted(image, SIDE)), "regions that were looked at", SIDE)
    steps = [
        f"<li>{text(one.hypothesis)} {tuple(one.box)}: {text(finding)}</li>"
        for one, finding in zip(answer.regions, answer.findings, strict=False)
    ]
    seen = [figure(crops[one], one.hypothesis, CROP) for one in looked if one in crops]
    chain = [f'<ol style="padding-left:1.5rem">{"".join(steps)}</ol>'] if steps else []
    none = [] if looked else ["<p>No region was found: the whole image was asked.</p>"]
    said = line("answer", answer.text) if not answer.failure else line("no answer", answer.failure)
    return block(name, [said, *none, *chain, row([shown, *seen])])


def _map(image: Image.Image, heat_map: HeatMap, regions: Sequence[Region]) -> str:
    boxes = [one for one in regions if one.hypothesis == heat_map.hypothesis]
    scale = fitted(image, SMALL)
    warm = outlines(heated(image, heat_map.values, scale), boxes, scale)
    return figure(warm, f"{heat_map.hypothesis} {heat_map.confidence:.2f}", SMALL)
