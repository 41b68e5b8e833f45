"""A table of the paper's layout -> CSV: one line a row, way of asking and measure, with every number."""

from __future__ import annotations

import csv
import io

from clincot.report.table.values import PaperTable

MINUS = ("value", "low", "high")
HEADER = ("table", "start", "row", "asked", "control", "measure", "value", "low", "high", "published", "seeds", "n")
GIVEN = ("gold", "pairs", "steps", "texts", "ratings", "extra", "seen", "missing")


def csv_text(table: PaperTable) -> str:
    """Return the file's text; a row that was not run has one line with the reason."""
    against = table.against
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*HEADER, *(f"minus {name}, {end}" for name in against for end in MINUS), *GIVEN))
    for block, line in table.every():
        begin = (table.number, block.title, line.title, line.asked, line.control)
        given = (line.gold, line.pairs, line.steps, line.texts, line.ratings, line.extra, line.seen, line.missing)
        if line.cells is None:
            writer.writerow((*begin, *[""] * (7 + 3 * len(against)), *given))
        for measure, cell in (line.cells or {}).items():
            minus = [cell.minus.get(name) for name in against]
            numbers = [getattr(one, end) if one else "" for one in minus for end in MINUS]
            published = "" if cell.published is None else cell.published
            own = (measure, cell.value, cell.low, cell.high, published, len(line.seeds), table.counts.get(measure, ""))
            writer.writerow((*begin, *own, *numbers, *given))
    return out.getvalue()
