"""Differences with intervals -> a forest plot as SVG that needs no script and reads in light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from study.analysis import Contrast

WIDTH, LINE, LEFT, PLOT = 1030, 22, 550, 300
TOP = 54
STYLE = (
    "text{font:13px sans-serif;fill:#222}.axis{stroke:#999}.line{stroke:#1f5fa8;stroke-width:2}.dot{fill:#1f5fa8}"
    ".band{fill:#8882}@media(prefers-color-scheme:dark){text{fill:#ddd}.line{stroke:#8ab8f0}.dot{fill:#8ab8f0}}"
)


@dataclass(frozen=True)
class Entry:
    """One line of the plot: a row, what it is compared with, and the difference."""

    row: str
    against: str
    found: Contrast


def forest(title: str, entries: Sequence[Entry], band: float = 1.0) -> str:
    """Return the plot; `band` is the width of what counts as equal, in points on both sides of 0."""
    reach = max([band, *(abs(end) for e in entries for end in (e.found.low, e.found.high))]) * 1.05
    height = TOP + LINE * len(entries) + 40

    def x(value: float) -> float:
        return round(LEFT + PLOT * (value + reach) / (2 * reach), 1)

    bottom = TOP + LINE * len(entries)
    wide = round(x(band) - x(-band), 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text x="10" y="22" style="font-weight:bold">{escape(title)}</text>',
        f'<rect class="band" x="{x(-band)}" y="{TOP - 14}" width="{wide}" height="{bottom - TOP + 14}"/>',
        f'<line class="axis" x1="{x(0)}" x2="{x(0)}" y1="{TOP - 14}" y2="{bottom}"/>',
    ]
    for place, entry in enumerate(entries):
        y, found = TOP + LINE * place, entry.found
        low, high, at = x(found.low), x(found.high), x(found.value)
        text = f"{found.value:+.1f} ({found.low:+.1f} to {found.high:+.1f})"
        parts += [
            f'<text x="10" y="{y + 4}">{escape(entry.row)} − {escape(entry.against)}</text>',
            f'<line class="line" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>',
            f'<circle class="dot" cx="{at}" cy="{y}" r="4"/>',
            f'<text x="{LEFT + PLOT + 10}" y="{y + 4}">{text}</text>',
        ]
    for value in (-reach / 1.05, 0.0, reach / 1.05):
        parts.append(f'<text x="{x(value)}" y="{bottom + 24}" text-anchor="middle">{value:+.1f}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
