"""An evaluation -> tables for a terminal, Markdown and JSON, and the files of a push."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from clincot import protocols
from clincot.evaluation import BLACK, PRIOR, Evaluation
from clincot.evaluation.predictions import write_predictions
from clincot.evaluation.results import Result, Row

if TYPE_CHECKING:
    from rich.table import Table

UNDECIDED = "°"
NOTE = f"Percent, 95 % interval over images. {UNDECIDED}: the difference from the same row's black image includes 0."
CONTROL_NAMES = {BLACK: "black image", PRIOR: "question prior"}
Grid = tuple[list[str], list[list[str]]]


def row_name(row: Row) -> str:
    """Return how a table calls a row: `round-1 · region`, `round-1 · region · black image`, `question prior`."""
    return " · ".join(part for part in (row.policy, row.inference, CONTROL_NAMES.get(row.control, row.control)) if part)


def _cell(result: Result | None, *, undecided: bool = False) -> str:
    if result is None or not math.isfinite(result.value):
        return "–"
    value, low, high = (100 * number for number in (result.value, result.low, result.high))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]{UNDECIDED if undecided else ''}"


def main_grid(evaluation: Evaluation) -> Grid:
    """Return header and lines: policies by inference, then controls, by headline measures that counted anything."""
    found = {(r.row, r.metric): r for r in evaluation.results if not r.subgroup}
    measures = [m for m in protocols.load(evaluation.protocol).measures if m.headline]
    measures = [m for m in measures if any(metric == m.name for _, metric in found)]
    unsure = {
        (Row(c.policy, c.inference), c.metric) for c in evaluation.comparisons if c.against == BLACK and c.undecided
    }
    answered = Counter(Row(p.policy, p.inference, p.control) for p in evaluation.predictions)
    lines = []
    for row in dict.fromkeys(result.row for result in evaluation.results):
        cells = [_cell(found.get((row, m.name)), undecided=(row, m.name) in unsure) for m in measures]
        lines.append([row_name(row), *cells, str(answered[row])])
    return ["", *(m.title for m in measures), "n"], lines


def kind_grid(evaluation: Evaluation) -> Grid:
    """Return header and lines: kinds of question by rows of the main table (accuracy)."""
    some = [result for result in evaluation.results if result.subgroup]
    rows = list(dict.fromkeys(result.row for result in some))
    found = {(r.subgroup, r.row): r for r in some}
    kinds = sorted({result.subgroup for result in some})
    lines = []
    for kind in kinds:
        cells = [found.get((kind, row)) for row in rows]
        lines.append([kind, *(_cell(cell) for cell in cells), str(max((c.n for c in cells if c), default=0))])
    return ["kind", *(row_name(row) for row in rows), "n"], lines


def short_kind_grid(evaluation: Evaluation) -> Grid:
    """The same for a terminal: rows of the main table by kinds with their counts, values without intervals."""
    header, lines = kind_grid(evaluation)
    values = [[cell.split(" ")[0] for cell in line[1:-1]] for line in lines]
    turned = [[name, *column] for name, column in zip(header[1:-1], zip(*values, strict=True), strict=False)]
    return ["", *(f"{line[0]} ({line[-1]})" for line in lines)], turned


def comparison_grid(evaluation: Evaluation) -> Grid:
    """Return header and lines: paired differences in points, `against` black image or the first policy."""
    headline = {m.name: m.title for m in protocols.load(evaluation.protocol).measures if m.headline}
    lines = [
        [
            row_name(Row(c.policy, c.inference)),
            CONTROL_NAMES.get(c.against, c.against),
            headline[c.metric],
            f"{100 * c.value:+.1f} [{100 * c.low:+.1f}, {100 * c.high:+.1f}]{UNDECIDED if c.undecided else ''}",
        ]
        for c in evaluation.comparisons
        if c.metric in headline
    ]
    return ["", "minus", "measure", "difference"], lines


def rich_tables(evaluation: Evaluation) -> list[Table]:
    """Return the main table and, where kinds exist, a short table per kind, to print on stdout."""
    from rich.table import Table

    title = f"{evaluation.benchmark} {evaluation.split}, protocol {evaluation.protocol}"
    tables: list[Table] = []
    for name, (header, lines) in (
        (title, main_grid(evaluation)),
        ("accuracy by kind (n)", short_kind_grid(evaluation)),
    ):
        if not lines:
            continue
        table = Table(title=name, caption=None if tables else NOTE)
        for i, column in enumerate(header):
            table.add_column(column, justify="right" if i else "left", no_wrap=not i)
        for line in lines:
            table.add_row(*line)
        tables.append(table)
    return tables


def markdown(evaluation: Evaluation) -> str:
    """Return the tables and the counts that belong to them."""
    parts = [f"# {evaluation.benchmark} {evaluation.split}, protocol {evaluation.protocol}", NOTE]
    sections = {"": main_grid, "## Differences": comparison_grid, "## Accuracy by kind": kind_grid}
    for title, grid in sections.items():
        header, lines = grid(evaluation)
        if lines:
            parts += [*([title] if title else []), _markdown_table(header, lines)]
    fallen = [f"{row_name(row)} {n}" for row, n in evaluation.without_region.items() if n]
    if fallen:
        parts.append(f"Answered directly because no region was found: {', '.join(fallen)}.")
    if evaluation.unreadable:
        parts.append(f"Left out, image unreadable ({len(evaluation.unreadable)}): {', '.join(evaluation.unreadable)}.")
    return "\n\n".join(parts) + "\n"


def _markdown_table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in [header, rule, *lines]
    )


def result_files(evaluation: Evaluation, folder: Path) -> dict[str, Path]:
    """Write results.json, results.md and the predictions into `folder`; return path in a repository -> local path."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        "benchmark": evaluation.benchmark,
        "protocol": evaluation.protocol,
        "split": evaluation.split,
        "results": [asdict(result) for result in evaluation.results],
        "comparisons": [asdict(c) | {"undecided": c.undecided} for c in evaluation.comparisons],
        "unreadable": evaluation.unreadable,
        "without_region": {row_name(row): n for row, n in evaluation.without_region.items()},
    }
    as_json, as_text = folder / "results.json", folder / "results.md"
    as_json.write_text(json.dumps(_finite(facts), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    as_text.write_text(markdown(evaluation), encoding="utf-8")
    parquet = write_predictions(evaluation.predictions, folder / "predictions.parquet")
    return {
        "results.json": as_json,
        "results.md": as_text,
        f"predictions/{evaluation.split}-00000-of-00001.parquet": parquet,
    }


def _finite(value: object) -> object:
    """Replace nan by null: JSON knows no nan, and a Hub viewer refuses the file."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
