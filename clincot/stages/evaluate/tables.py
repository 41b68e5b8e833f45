"""An evaluation -> tables for a terminal and Markdown: rows with intervals, differences, subgroups, counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from clincot import protocols
from clincot.progress import few_of, left_out
from clincot.stages.evaluate import Evaluation
from clincot.stages.evaluate.marks import CONTROL_NAMES, NOTE, UNDECIDED, against_controls, row_name
from clincot.stages.evaluate.probe_tables import PROBE_NOTE, probe_grids
from clincot.stages.evaluate.results import Comparison, Result, Row

Grid = tuple[list[str], list[list[str]]]
RESULTS = "results.json"  # has all of a list that a table shortens


def title(evaluation: Evaluation, label: str) -> str:
    """Return the heading of a protocol's table; it says when the answers were not asked for as the protocol asks."""
    cut = f" ({evaluation.cut})" if evaluation.cut else ""
    whole = f"{evaluation.benchmark} {evaluation.split}{cut}, protocol {label}"
    if protocols.load(label).as_asked(protocols.load(evaluation.protocol)):
        return whole
    return f"{whole} (scored under; asked as {evaluation.protocol})"


def cell(result: Result | None, mark: str = "") -> str:
    if result is None or not math.isfinite(result.value):
        return "–"
    return f"{100 * result.value:.1f} {ends(result.low, result.high)}{mark}"


def ends(low: float, high: float, *, signed: bool = False) -> str:
    """Return an interval in percent; "[–]" for one image."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "[–]"
    sign = "+" if signed else ""
    return f"[{100 * low:{sign}.1f}, {100 * high:{sign}.1f}]"


def main_grid(evaluation: Evaluation, label: str = "") -> Grid:
    """Return header and lines: policies by inference, then controls, by headline measures that counted anything."""
    label = label or evaluation.protocol
    found = {(r.row, r.metric): r for r in evaluation.results if r.protocol == label and not r.by}
    counted = {metric for (_, metric), result in found.items() if math.isfinite(result.value)}
    measures = [m for m in protocols.load(label).measures if m.headline and m.name in counted]
    marks = {key: against.mark for key, against in against_controls(evaluation, label).items()}
    answered = Counter(Row(p.policy, p.inference, p.control) for p in evaluation.predictions)
    lines = []
    for row in dict.fromkeys(row for row, _ in found):
        cells = [cell(found.get((row, m.name)), marks.get((row, m.name), "")) for m in measures]
        lines.append([row_name(row), *cells, str(answered[row])])
    return ["", *(m.title for m in measures), "n"], lines if measures else []


def group_grid(evaluation: Evaluation, by: str = "kind") -> Grid:
    """Return header and lines: kinds of question (or modalities) by rows of the main table (accuracy)."""
    some = [r for r in evaluation.results if r.by == by and r.protocol == evaluation.protocol]
    rows = list(dict.fromkeys(result.row for result in some))
    found = {(r.subgroup, r.row): r for r in some}
    lines = []
    for group in sorted({result.subgroup for result in some}):
        cells = [found.get((group, row)) for row in rows]
        lines.append([group, *map(cell, cells), str(max((c.n for c in cells if c), default=0))])
    return [by, *(row_name(row) for row in rows), "n"], lines


def short_group_grid(evaluation: Evaluation, by: str = "kind") -> Grid:
    """The same for a terminal: rows of the main table by groups with their counts, values without intervals."""
    header, lines = group_grid(evaluation, by)
    values = [[entry.split(" ")[0] for entry in line[1:-1]] for line in lines]
    turned = [[name, *column] for name, column in zip(header[1:-1], zip(*values, strict=True), strict=False)]
    return ["", *(f"{line[0]} ({line[-1]})" for line in lines)], turned


def comparison_grid(evaluation: Evaluation, label: str = "") -> Grid:
    """Return header and lines: paired differences in points, `minus` a control or the first policy."""
    label = label or evaluation.protocol
    headline = {m.name: m.title for m in protocols.load(label).measures if m.headline}
    lines = [
        [
            row_name(Row(c.policy, c.inference)),
            CONTROL_NAMES.get(c.against, c.against),
            headline[c.metric],
            difference(c),
            str(c.n),
        ]
        for c in evaluation.comparisons
        if c.protocol == label and c.metric in headline and math.isfinite(c.value)
    ]
    return ["", "minus", "measure", "difference", "n"], lines


def difference(c: Comparison) -> str:
    return f"{100 * c.value:+.1f} {ends(c.low, c.high, signed=True)}{UNDECIDED if c.undecided else ''}"


def remarks(evaluation: Evaluation) -> list[str]:
    """Return what belongs to the tables: fall-backs, images left out, contamination, notes."""
    said = []
    fallen = [f"{row_name(row)} {n}" for row, n in evaluation.without_region.items() if n]
    if fallen:
        said.append(f"Answered directly because no region was found: {', '.join(fallen)}.")
    if evaluation.unreadable:
        said.append(left_out(list(evaluation.unreadable), RESULTS))
    if evaluation.unanswered:
        reasons, named = (
            ", ".join(sorted(set(evaluation.unanswered.values()))),
            few_of([*evaluation.unanswered], RESULTS),
        )
        said.append(f"Empty answers ({len(evaluation.unanswered)}, {reasons}): {named}.")
    for policy, shared in evaluation.contamination.items():
        if shared is None:
            said.append(f"Contamination of {policy}: unknown, its training data cannot be read.")
        elif shared:
            asked = sum(evaluation.questions_of[image] for image in shared)
            counts = f"{len(shared)} of {len(evaluation.questions_of)} test images ({asked} questions)"
            said.append(f"Contamination: {policy} was trained on {counts}: {few_of(shared, RESULTS)}.")
    return [*said, *evaluation.notes]


def titled_grids(evaluation: Evaluation, labels: Sequence[str] = ()) -> list[tuple[str, Grid]]:
    """Return a table per protocol of `labels` (none: the one asked under) and short ones per kind and modality."""
    shown = labels or (evaluation.protocol,)
    grids = [(title(evaluation, label), main_grid(evaluation, label)) for label in shown]
    grids += [(f"accuracy by {by} (n)", short_group_grid(evaluation, by)) for by in ("kind", "modality")]
    return [(name, grid) for name, grid in grids if grid[1]]


def markdown(evaluation: Evaluation) -> str:
    """Return the tables of every protocol, and what belongs to them."""
    parts = [f"# {title(evaluation, evaluation.protocol)}", NOTE]
    sections = {
        "": main_grid(evaluation),
        "## Differences": comparison_grid(evaluation),
        "## Accuracy by kind": group_grid(evaluation),
        "## Accuracy by modality": group_grid(evaluation, "modality"),
    }
    for name, grid in sections.items():
        if grid[1]:
            parts += [*([name] if name else []), _markdown_table(*grid)]
    parts += remarks(evaluation)
    if evaluation.probes:
        parts += ["## Probes", PROBE_NOTE]
        for name, probed in probe_grids(evaluation.probes):
            parts += [f"### {name[0].upper()}{name[1:]}", _markdown_table(*probed)]
    judged = [protocols.JUDGED.label] if any(r.protocol == protocols.JUDGED.label for r in evaluation.results) else []
    for label in (*protocols.chosen(evaluation.protocol, [protocols.ALL])[1:], *judged):
        grid = main_grid(evaluation, label)
        if grid[1]:
            note = protocols.load(label).note
            parts += [f"## {title(evaluation, label)}", *([f"{note[0].upper()}{note[1:]}."] if note else [])]
            parts.append(_markdown_table(*grid))
    return "\n\n".join(parts) + "\n"


def _markdown_table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join(
        "| " + " | ".join(" ".join(entry.split()).replace("|", "\\|") for entry in line) + " |"
        for line in [header, rule, *lines]
    )
