"""An evaluation -> one self-contained HTML page: tables of every protocol, differences, changed answers."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from PIL import Image, ImageDraw

from clincot import images, protocols
from clincot.records import Box, Example
from clincot.stages.evaluate import Evaluation, Prediction
from clincot.stages.evaluate.changes import Change, changes
from clincot.stages.evaluate.marks import BELOW, NOTE, UNDECIDED, row_name
from clincot.stages.evaluate.probe_tables import probe_grids
from clincot.stages.evaluate.results import Row
from clincot.stages.evaluate.tables import Grid, comparison_grid, group_grid, main_grid, remarks, title

SHOWN = 24  # changed answers with their images
SIDE = 176  # pixels of an image's longer side
STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --doubt: #8a5200; --bad: #b3261e; --good: #1b7f3b; }
@media (prefers-color-scheme: dark) { :root { --doubt: #ffb95c; --bad: #ff8a80; --good: #6fd08c; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 92rem; padding: 0 1rem;
  background: Canvas; color: CanvasText; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .55rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } thead th { border-bottom: 2px solid var(--line); }
tr.control td { opacity: .75; font-style: italic; } td.doubt { color: var(--doubt); } td.bad { color: var(--bad); }
.small { font-size: .85rem; opacity: .8; } details { margin: .6rem 0; } summary { cursor: pointer; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: .8rem; }
.card { border: 1px solid var(--line); border-radius: .5rem; padding: .7rem; display: flex; gap: .7rem; }
.card img { border-radius: .3rem; align-self: flex-start; } .card p { margin: 0 0 .3rem; overflow-wrap: anywhere; }
.gained { border-left: 4px solid var(--good); } .lost { border-left: 4px solid var(--bad); }
"""


def results_page(evaluation: Evaluation, examples: Sequence[Example], name: str) -> str:
    """Return the page. Without `examples` (data that may not be passed on) it has no images and no reference texts.

    Texts are escaped: what a model writes cannot become markup.
    """
    parts = [
        f"<h1>{escape(name)}: {escape(evaluation.benchmark)} {escape(evaluation.split)}</h1>",
        *([f"<p>{escape(evaluation.benchmark)}: {escape(evaluation.cut)}.</p>"] if evaluation.cut else []),
        "<p><strong>Not for clinical use.</strong> Research material only.</p>",
        f"<p class=small>{escape(NOTE)}</p>",
        *_protocol(evaluation, evaluation.protocol),
        *(f"<p>{escape(remark)}</p>" for remark in remarks(evaluation)),
        *_folded("Differences", comparison_grid(evaluation)),
        *_folded("Accuracy by kind of question", group_grid(evaluation)),
        *_folded("Accuracy by modality", group_grid(evaluation, "modality")),
        *(part for name, grid in probe_grids(evaluation.probes) for part in _folded(name, grid)),
        *_gallery(evaluation, {example.id: example for example in examples}),
        "<h2>The same answers under other protocols</h2>",
        *(_other(evaluation, label) for label in protocols.chosen(evaluation.protocol, [protocols.ALL])[1:]),
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    )
    return (
        f"{head}<title>{escape(name)}: results</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(parts)
        + ("\n</body></html>\n")
    )


def _protocol(evaluation: Evaluation, label: str) -> Iterator[str]:
    """Yield the heading, the note and the table of one protocol; nothing where it counts no answer."""
    grid = main_grid(evaluation, label)
    if grid[1]:
        controls = {row_name(Row(p.policy, p.inference, p.control)) for p in evaluation.predictions if p.control}
        note = protocols.load(label).note
        yield f"<h2>{escape(title(evaluation, label))}</h2>"
        yield from [f"<p class=small>{escape(note)}</p>"] if note else []
        yield _table(grid, controls)


def _other(evaluation: Evaluation, label: str) -> str:
    parts = "".join(_protocol(evaluation, label))
    return f"<details><summary>{escape(label)}</summary>{parts}</details>" if parts else ""


def _folded(name: str, grid: Grid) -> Iterator[str]:
    if grid[1]:
        yield f"<details><summary>{escape(name)}</summary>{_table(grid, set())}</details>"


def _table(grid: Grid, controls: set[str]) -> str:
    header = "".join(f"<th>{escape(column)}</th>" for column in grid[0])
    lines = []
    for line in grid[1]:
        row = ' class="control"' if line[0] in controls else ""
        lines.append(f"<tr{row}>{''.join(map(_cell, line))}</tr>")
    scrolled = 'class="wide" tabindex="0" role="region" aria-label="Table"'  # for those who scroll by keys
    return f"<div {scrolled}><table><thead><tr>{header}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"


def _cell(text: str) -> str:
    kind = ' class="bad"' if text.endswith(BELOW) else ' class="doubt"' if text.endswith(UNDECIDED) else ""
    return f"<td{kind}>{escape(text)}</td>"


def _gallery(evaluation: Evaluation, examples: Mapping[str, Example]) -> Iterator[str]:
    """Show what the last policy answers otherwise than the first, under the same inference."""
    rows: dict[Row, list[Prediction]] = {}
    for p in evaluation.predictions:
        if not p.control:
            rows.setdefault(Row(p.policy, p.inference), []).append(p)
    policies = list(dict.fromkeys(row.policy for row in rows))
    for inference in dict.fromkeys(row.inference for row in rows) if len(policies) > 1 else ():
        first, last = Row(policies[0], inference), Row(policies[-1], inference)
        found = changes(examples, rows[first], rows[last])
        if found:
            counts = Counter(change.verdict for change in found)
            lines = ", ".join(f"{n} {verdict}" for verdict, n in counts.items())
            yield f"<h2>Changed answers: {escape(row_name(first))} → {escape(row_name(last))}</h2>"
            yield f"<p class=small>{lines} of {len(rows[first])}; the first {min(SHOWN, len(found))} are shown.</p>"
            cards = "".join(_card(change, examples.get(change.example_id)) for change in found[:SHOWN])
            yield f'<div class="cards">{cards}</div>'


def _card(change: Change, example: Example | None) -> str:
    known = (
        [f"<p><strong>{escape(example.question)}</strong></p><p>gold: {escape(example.answer)}</p>"] if example else []
    )
    lines = [
        *known,
        f"<p>before: {escape(change.first)}</p>",
        f"<p>after: {escape(change.second)}</p>",
        f'<p class="small">{escape(change.example_id)}</p>',
    ]
    shown = _images(example, change.boxes[1]) if example else ""
    return f'<div class="card {change.verdict}">{shown}<div>{"".join(lines)}</div></div>'


def _images(example: Example, box: Box | None) -> str:
    """Return the images as small JPEGs, the primary one with the box that the second row looked at."""
    count = len(example.image_ids)
    return "".join(_image(example, number, None if number else box) for number in range(count))


def _image(example: Example, number: int, box: Box | None) -> str:
    image = images.decode(example.encoded(number), example.label_of(number))
    scale = SIDE / max(image.size)
    small = image.resize(
        (max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.BILINEAR
    )
    if box is not None:
        ImageDraw.Draw(small).rectangle(tuple(round(edge * scale) for edge in box), outline=(255, 176, 0), width=2)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img width="{small.width}" height="{small.height}" alt="" src="data:image/jpeg;base64,{data}">'
