"""Entries of a round -> the folder of its page: index.html, data.js, scripts, a style, images and maps, each once."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image

from clincot import images
from clincot.report.view.entries import Shown
from clincot.report.view.maps import coloured

SCRIPTS = ("dom.js", "pair.js", "veto.js", "view.js")
STYLE = "view.css"
JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
BIT_DEPTH = 24  # the byte of a PNG that says how many bits a sample has
PLAIN = 300  # characters of a text in the table that a browser without JavaScript shows


@dataclass(frozen=True)
class Heading:
    """What the page says of the round: name, lines about its origin, and a warning where images may not leave.

    `round` and `dataset` (with its revision) are what a veto file names.
    """

    name: str
    lines: Sequence[str] = ()
    sealed: bool = False
    round: int | None = None
    dataset: str = ""


@dataclass
class Images:
    """Writes each image once, under the hash of its bytes, in a format that every browser shows."""

    folder: Path
    written: dict[str, Shown] = field(default_factory=dict)

    def keep(self, data: bytes) -> Shown:
        """Return where the image is. Raises DataError for bytes that are no image."""
        name = images.content_id(data)
        if name not in self.written:
            plain, ending = for_browsers(data)
            (self.folder / "images").mkdir(exist_ok=True)
            (self.folder / "images" / f"{name}.{ending}").write_bytes(plain)
            with Image.open(io.BytesIO(plain)) as image:
                self.written[name] = Shown(f"images/{name}.{ending}", *image.size)
        return self.written[name]

    def keep_maps(self, maps: Mapping[str, bytes]) -> dict[str, str]:
        """Write the heat maps of an image, small grey ones, as the page shows them: hypothesis -> file."""
        found = {}
        for hypothesis, grey in maps.items():
            file = f"maps/{images.content_id(grey)}.png"
            if not (self.folder / file).exists():
                (self.folder / "maps").mkdir(exist_ok=True)
                (self.folder / file).write_bytes(coloured(grey))
            found[hypothesis] = file
        return found


def write_page(
    folder: Path,
    heading: Heading,
    build: Callable[[Callable[[bytes], Shown]], Iterable[Any]],
    maps: Mapping[str, Mapping[str, bytes]] | None = None,
) -> int:
    """Write the page into an empty folder; `build` makes the entries with what keeps images. Return their number.

    `maps` holds the heat maps (`clincot.regions.kept_maps`) by image and hypothesis.
    """
    kept = Images(folder)
    found = list(build(kept.keep))
    shown = {one["image"]: kept.keep_maps((maps or {}).get(one["image"], {})) for one in found}
    for name in (*SCRIPTS, STYLE):
        (folder / name).write_bytes(files("clincot.report.view").joinpath(name).read_bytes())
    data: dict[str, Any] = {"name": heading.name, "round": heading.round, "dataset": heading.dataset, "entries": found}
    data |= {"maps": {image: maps_ for image, maps_ in shown.items() if maps_}}
    # ASCII alone: U+2028 ends a line in older JavaScript. "</" would end the element of a page that holds the text.
    text = json.dumps(data, ensure_ascii=True, allow_nan=False).replace("</", "<\\/")
    (folder / "data.js").write_text(f"window.clincotRound = {text};\n", encoding="utf-8")
    (folder / "index.html").write_text(_html(heading, found), encoding="utf-8")
    return len(found)


def for_browsers(data: bytes) -> tuple[bytes, str]:
    """Return an image as every browser shows it, and the ending of its file. Raises DataError for no image."""
    if data.startswith(JPEG):
        return data, "jpg"
    if data.startswith(PNG) and len(data) > BIT_DEPTH and data[BIT_DEPTH] <= 8:
        return data, "png"
    buffer = io.BytesIO()
    images.decode(data, "image of a row").save(buffer, "PNG")
    return buffer.getvalue(), "png"


def _html(heading: Heading, found: Sequence[Mapping[str, Any]]) -> str:
    warning = "<p class=warning>For this machine alone: images and reference texts must not be passed on.</p>"
    lines = "".join(f"<p>{escape(line)}</p>" for line in heading.lines)
    scripts = "".join(f'<script src="{name}"></script>\n' for name in SCRIPTS)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(heading.name)}: preference pairs</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="view.css">
</head>
<body>
<header>
<h1>{escape(heading.name)}</h1>
<p><strong>Not for clinical use.</strong> Research material only.</p>
{warning if heading.sealed else ""}{lines}
</header>
<noscript>{_table(found)}</noscript>
<div id="app" hidden></div>
<script src="data.js"></script>
{scripts}</body>
</html>
"""


def _table(found: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of all pairs for a browser without JavaScript."""
    header = "".join(f"<th scope=col>{name}</th>" for name in ("pair", "question", "chosen", "rejected", "gold"))
    body = "".join(
        "<tr>"
        + "".join(
            f"<td><bdi>{escape(_short(text))}</bdi></td>"
            for text in (
                one["id"],
                one["question"],
                _scored(one["chosen"]),
                _scored(one["rejected"]),
                one["gold"] if one["gold"] is not None else "–",
            )
        )
        + "</tr>\n"
        for one in found
    )
    return (
        f"<p>With JavaScript this page shows images, candidates and filters.</p><table><tr>{header}</tr>{body}</table>"
    )


def _scored(side: Mapping[str, Any]) -> str:
    return side["text"] if side["score"] is None else f"{side['text']} ({side['score']:.2f})"


def _short(text: str) -> str:
    return text if len(text) <= PLAIN else text[:PLAIN] + " …"
