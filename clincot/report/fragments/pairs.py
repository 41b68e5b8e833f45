"""A row of preference pairs -> a piece of HTML: the image with both regions, what each side saw, says and scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from clincot import images
from clincot.images.views import encode
from clincot.records import Box
from clincot.report.fragments.drawn import outlined
from clincot.report.fragments.examples import SIDE, Outline
from clincot.report.fragments.markup import block, figure, fitted, legend, line, row
from clincot.report.view.entries import Around, Shown, entries

CROP = 160  # pixels of the longer side of what one side of a pair saw
SIDES = ("chosen", "rejected")


def pair_html(stored: Mapping[str, Any]) -> str:
    """Return the piece of a row as datasets gives it, images decoded, or as parquet holds it, images as bytes.

    Raises UnreadableImage. A row without images (a redacted one, a pair of texts) is shown by its texts.
    """
    kept: dict[str, Image.Image] = {}

    def keep(data: bytes) -> Shown:
        name = images.content_id(data)
        kept[name] = images.decode(data, f"image of {stored['id']}")
        return Shown(name, *kept[name].size)

    plain = {**stored, **{name: _encoded(stored.get(name)) for name in ("images", "side_images")}}
    (entry,) = entries([plain], Around(), keep)
    regions = {side: entry[side]["region"] for side in SIDES if entry[side]["region"]}
    placed = [Outline(f"{side}: {one['hypothesis']}", Box(*one["box"])) for side, one in regions.items()]
    shared = [kept[one["file"]] for one in entry["images"]]
    figures = [
        figure(outlined(one, [] if number else placed, fitted(one, SIDE)), f"image {number + 1}", SIDE)
        for number, one in enumerate(shared)
    ]
    head = [line("prompt", entry["prompt"]), *([legend(placed)] if shared else [])]
    sides = [_side(side, entry[side], kept) for side in SIDES]
    weight = "" if entry["weight"] is None else f", weight {entry['weight']:.2f}"
    heading = f"pair {entry['id']}, step {entry['step']}{weight}"
    return block(heading, [row([*figures, f"<div>{''.join(head)}</div>"]), row(sides)])


def _encoded(stored: Sequence[Any] | None) -> list[dict[str, Any] | None]:
    """Return images as parquet holds them."""
    return [{"bytes": encode(one.convert("RGB"))} if isinstance(one, Image.Image) else one for one in stored or ()]


def _side(name: str, side: Mapping[str, Any], kept: Mapping[str, Image.Image]) -> str:
    seen = [figure(kept[one["file"]], f"{name} saw", CROP) for one in side["images"]]
    score = [] if side["score"] is None else [line("score", f"{side['score']:.3f}")]
    finish = [line("cut", "at the limit of its length")] if side["finish"] == "length" else []
    return block(name, [row(seen), line("text", side["text"]), *score, *finish])
