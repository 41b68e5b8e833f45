"""Figures of a run, and what is missing of it -> one self-contained HTML page; it needs no script and no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from clincot.report.figures.figure import Cell, Figure, Missing, Section, Shown
from clincot.report.figures.svg import page_svg
from clincot.report.first_screen import Screen

SHOWN = 200  # lines of a table in the page; the CSV file has all
WIDE = 400  # pixels: a panel that is wider is scrolled, since its text would be too small on a telephone
FOLDER = "figures"


@dataclass(frozen=True)
class Heading:
    """What the page says first: the run, where its numbers are from, whether it may leave this machine."""

    name: str
    lines: Sequence[str] = ()
    sealed: bool = False


def report_page(heading: Heading, screen: Screen | None, lacks: Sequence[Missing], sections: Sequence[Section]) -> str:
    """Return the page; texts are escaped. Its links lead to the files of the figures in `figures/` next to it."""
    style = files("clincot.report.run").joinpath("page.css").read_text(encoding="utf-8")
    parts = "\n".join(_parts(heading, screen, lacks, sections))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(heading.name)}: report</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
{parts}
</body>
</html>
"""


def _parts(
    heading: Heading, screen: Screen | None, lacks: Sequence[Missing], sections: Sequence[Section]
) -> Iterator[str]:
    yield f"<header>\n<h1>{escape(heading.name)}</h1>"
    yield "<p><strong>Not for clinical use.</strong> Research material only.</p>"
    if heading.sealed:
        yield (
            "<p class=warning>The data of this run may not be passed on. This page has counts and scores alone: no"
            " image and no text of the data.</p>"
        )
    yield from (f"<p>{escape(line)}</p>" for line in heading.lines)
    yield "</header>\n<main>"
    yield from _lacking(lacks)
    if screen is not None:
        yield "<h2>Whether training helped</h2>"
        yield f"<p>{escape(screen.heading)}.</p>"
        yield _table(["measure", *screen.grid[0][1:]], screen.grid[1], "Whether training helped")
        yield from (f"<p>{escape(sentence)}</p>" for sentence in screen.sentences)
        yield from (f"<p class=small>{escape(term)}</p>" for term in screen.terms)
    yield from _contents(sections)
    for number, section in enumerate(sections):
        yield f"<section id=part-{number} aria-labelledby=title-{number}>"
        yield f"<h2 id=title-{number}>{escape(section.title)}</h2>"
        if isinstance(section, Shown):
            yield section.html
        else:
            yield from _figure(section) if isinstance(section, Figure) else _absent(section)
        yield "</section>"
    yield "</main>"


def _lacking(lacks: Sequence[Missing]) -> Iterator[str]:
    if lacks:
        yield "<section class=lacks aria-label='What is missing'><h2>What is missing</h2><ul>"
        for lack in lacks:
            yield f"<li>{escape(lack.title)}: {escape(lack.reason)} {_command(lack)}</li>"
        yield "</ul></section>"


def _contents(sections: Sequence[Section]) -> Iterator[str]:
    yield "<nav aria-label='Figures'><ul>"
    for number, section in enumerate(sections):
        yield f"<li><a href='#part-{number}'>{escape(section.title)}</a></li>"
    yield "</ul></nav>"


def _absent(lack: Missing) -> Iterator[str]:
    yield f"<p>{escape(lack.reason)} {_command(lack)}</p>"


def _command(lack: Missing) -> str:
    return f"Run <code>{escape(lack.command)}</code>." if lack.command else ""


def _figure(figure: Figure) -> Iterator[str]:
    yield from (f"<p>{escape(note)}</p>" for note in figure.notes)
    label = f"{figure.title}. {' '.join(figure.notes)}"
    drawn = [page_svg(panel, label) for panel in figure.panels]
    wide = any(panel.width > WIDE for panel in figure.panels)
    scrolled = f'class=wide tabindex=0 role=region aria-label="Drawing: {escape(figure.title)}"'
    yield f"<figure><div {scrolled if wide else 'class=panels'}>{''.join(drawn)}</div></figure>"
    links = [
        f'<a href="{FOLDER}/{figure.name}.{ending}">{ending.upper()}<span> of {escape(figure.title.lower())}</span></a>'
        for ending in ("png", "svg", "csv")
    ]
    yield f"<p class=small>Files: {', '.join(links)}</p>"
    rows = [[_cell(cell) for cell in row] for row in figure.rows[:SHOWN]]
    more = f" (the first {SHOWN} of {len(figure.rows):,}; the CSV file has all)" if len(figure.rows) > SHOWN else ""
    table = _table(figure.header, rows, f"Numbers: {figure.title}")
    yield f"<details><summary>Numbers{more}</summary>{table}</details>"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> str:
    head = "".join(f"<th scope=col>{escape(column)}</th>" for column in header)
    body = "".join(f"<tr>{''.join(map(_data, row))}</tr>" for row in rows)
    scrolled = f'class=wide tabindex=0 role=region aria-label="{escape(name)}"'
    return f"<div {scrolled}><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _data(text: str) -> str:
    kind = " class=number" if text[:1] in "+-–0123456789" else ""
    return f"<td{kind}><bdi>{escape(text)}</bdi></td>"


def _cell(value: Cell) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
