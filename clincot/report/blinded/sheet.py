"""Items and their key -> one HTML file for a reader: images, questions, answers A and B, and nothing of the key."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

from clincot import images
from clincot.report.blinded.items import Item, Key
from clincot.report.view.page import for_browsers

MIME = {"jpg": "image/jpeg", "png": "image/png"}
# Nothing is fetched and nothing is sent: a sheet leaves a reader's machine as the file of choices alone.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def sheet_page(items: Sequence[Item], key: Key, *, sealed: bool = False) -> str:
    """Return the page. Ids stay in the key: those of pairs say which answer won."""
    held: dict[str, str] = {}
    shown = [_shown(item, entry.first, entry.number, held) for item, entry in zip(items, key.entries, strict=True)]
    data = {"sheet": key.sheet, "images": held, "items": shown}
    text = json.dumps(data, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")
    style, script = (_asset(name) for name in ("sheet.css", "sheet.js"))
    warning = "<p class=warning>For this machine alone: images and texts must not be passed on.</p>" if sealed else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>Sheet {key.sheet}: which answer is better?</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<header>
<h1>Which answer is better?</h1>
<p>Sheet {key.sheet}, {len(items)} questions. The order of the answers is random.
<strong>Not for clinical use.</strong></p>
{warning}</header>
<noscript>{_table(shown, held, key.sheet)}</noscript>
<main id="app" hidden></main>
<script type="application/json" id="sheet">{text}</script>
<script>{script}</script>
</body>
</html>
"""


def _shown(item: Item, first: str, number: int, held: dict[str, str]) -> dict[str, Any]:
    texts = item.texts if first == "A" else (item.texts[1], item.texts[0])
    names = [_hold(data, held) for data in item.images]
    shown: dict[str, Any] = {"number": number, "question": item.question, "images": names, "A": texts[0], "B": texts[1]}
    return shown if item.reference is None else shown | {"reference": item.reference}


def _hold(data: bytes, held: dict[str, str]) -> str:
    """Keep an image once, as a browser shows it, and return its name."""
    name = images.content_id(data)
    if name not in held:
        plain, ending = for_browsers(data)
        held[name] = f"data:{MIME[ending]};base64,{base64.b64encode(plain).decode()}"
    return name


def _table(shown: Sequence[dict[str, Any]], held: dict[str, str], sheet: str) -> str:
    """Return the questions for a browser without JavaScript, and how choices are written by hand."""
    rows = "".join(
        f"<section><h2>{one['number']}. <bdi>{escape(one['question'])}</bdi></h2>"
        + "".join(f'<img src="{held[name]}" alt="Image of the question">' for name in one["images"])
        + (f"<p>reference: <bdi>{escape(one['reference'])}</bdi></p>" if "reference" in one else "")
        + "".join(f"<p><strong>{letter}</strong> <bdi>{escape(one[letter])}</bdi></p>" for letter in "AB")
        + "</section>"
        for one in shown
    )
    return (
        "<p>Without JavaScript, write your choices into a CSV file, columns <code>sheet,reader,item,choice</code>"
        f" (<code>{sheet},your name,1,A</code>). A choice is A, B, same or unsure.</p>{rows}"
    )


def _asset(name: str) -> str:
    return files("clincot.report.blinded").joinpath(name).read_text(encoding="utf-8")
