"""An example -> a piece of HTML: its images with the true regions outlined, its question and its gold answer."""

from __future__ import annotations

from dataclasses import dataclass

from clincot import images
from clincot.images.true_regions import shown_regions
from clincot.records import Box, Example
from clincot.report.fragments.drawn import outlined
from clincot.report.fragments.markup import block, figure, fitted, legend, line, row

SIDE = 320  # pixels of an image's longer side


@dataclass(frozen=True)
class Outline:
    """A named box of an image that is shown."""

    hypothesis: str
    box: Box


def example_html(example: Example) -> str:
    """Return the piece. Raises UnreadableImage for an image that cannot be decoded."""
    true = [Outline(region.finding, region.box) for region in shown_regions(example)]
    figures = []
    for number in range(len(example.image_ids)):
        decoded = images.decode(example.encoded(number), example.label_of(number))
        boxes = [] if number else true
        figures.append(figure(outlined(decoded, boxes, fitted(decoded, SIDE)), example.label_of(number), SIDE))
    kinds = ", ".join(part for part in (example.answer_type, example.kind, example.modality) if part)
    said = [line("question", example.question), line("gold answer", example.answer), line("kind", kinds)]
    regions = [f"<p>true regions:</p>{legend(true)}"] if true else []
    return block(f"example {example.id}", [row([*figures, f"<div>{''.join([*said, *regions])}</div>"])])
