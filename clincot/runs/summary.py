"""A finished run -> what a person wants to see: the table, where everything was pushed, how to load the adapter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clincot.benchmarks import cut_of
from clincot.report.first_screen import first_screen
from clincot.report.terminal import INDENT, stdout_width, table_lines, wrapped
from clincot.runs.releases import Release
from clincot.runs.run import Run
from clincot.stages.evaluate import Evaluation
from clincot.stages.evaluate.marks import NOTE, UNDECIDED
from clincot.stages.evaluate.probe_tables import PROBE_NOTE, probe_grids, short_probe_grids
from clincot.stages.evaluate.probes import Probed
from clincot.stages.evaluate.tables import remarks, titled_grids

if TYPE_CHECKING:
    from clincot.runs.evaluation.compare import Compared

Say = Callable[[str], None]
PIPED = 80  # columns of the first screen in a log or a pipe


def print_evaluation(evaluation: Evaluation, labels: Sequence[str] = (), *, full: bool = False) -> None:
    """Print on stdout whether training helped; with `full` or protocols `labels`, their whole tables with controls."""
    screen = None if full or labels else first_screen(evaluation)
    if screen is None:
        _print_tables(evaluation, labels)
    else:
        # A log or a pipe has no width; the screen fits what most windows have.
        _print([*screen.lines(stdout_width() or PIPED), *_folded(remarks(evaluation), stdout_width() or PIPED)])
    _print_probes(evaluation.probes, full=full)


def print_summary(run: Run, releases: Sequence[Release], evaluation: Evaluation, say: Say, *, full: bool) -> None:
    """Print the results, then every repository with its tag and how to load the newest adapter."""
    print_evaluation(evaluation, full=full)
    where = run.target.label if any(release.pushed for release in releases) else run.store.label
    say(f"\nIn {where}:")
    for release in releases:
        pin = release.pushed or release.pin
        say(f"  {release.kind:8}{pin.repo}  {release.tag}  {pin.sha[:12]}")
    newest = [release for release in releases if release.lineage.stage == "train"]
    if newest:
        adapter = (newest[-1].pushed or newest[-1].pin).repo
        base = run.recipe.models.policy.repo
        say(
            "\nLoad the adapter:\n"
            f'  base = AutoModelForImageTextToText.from_pretrained("{base}")\n'
            f'  model = PeftModel.from_pretrained(base, "{adapter}", revision="{newest[-1].tag}")'
        )


def newest_page(run: Run) -> Path | None:
    """Return the run's newest page of results."""
    pages = sorted(run.folder.glob("round-*/results/results.html"), key=lambda page: page.stat().st_mtime)
    return pages[-1] if pages else None


def print_comparison(compared: Compared, show: int) -> None:
    """Print a table per protocol (first, second, paired difference) and the first `show` changed answers on stdout."""
    from clincot.runs.evaluation.compare import comparison_lines

    one, two, width = compared.first, compared.second, stdout_width()
    cut = cut_of(one.benchmark)
    heading = f"{one.benchmark} {one.split}{f' ({cut})' if cut else ''} at {one.data}"
    _print(_folded([heading, f"A  {one.name}", f"B  {two.name}"], width))
    for label in compared.labels:
        grid = (["measure", "A", "B", "B - A", "n"], list(comparison_lines(compared, label)))
        _print(table_lines(grid, width, f"\nprotocol {label}, {len(compared.examples)} questions"))
    note = f"Percent, 95 % interval over images. {UNDECIDED}: the paired difference includes 0."
    counts = Counter(change.verdict for change in compared.changed)
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in counts.items())
    _print(
        _folded(["", note, "", f"{len(compared.changed)} answers differ{': ' + verdicts if verdicts else ''}."], width)
    )
    for change in compared.changed[:show]:
        example = compared.examples[change.example_id]
        lines = (f"[{change.verdict}] {change.example_id}: {example.question}", f"  gold: {example.answer}")
        _print(_folded((*lines, f"  A: {change.first}", f"  B: {change.second}"), width))


def comparison_values(compared: Compared) -> dict[str, Any]:
    """Return a comparison as plain values: both rows, results of each, second minus first, and the changed answers."""
    one, two = compared.first, compared.second
    return {
        "benchmark": one.benchmark,
        "split": one.split,
        "data": str(one.data),
        "first": one.name,
        "second": two.name,
        "questions": len(compared.examples),
        "results": {
            "first": [asdict(r) for r in compared.values[0]],
            "second": [asdict(r) for r in compared.values[1]],
        },
        "differences": [asdict(c) | {"undecided": c.undecided} for c in compared.differences],
        "changed": [asdict(change) for change in compared.changed],
    }


def _print_tables(evaluation: Evaluation, labels: Sequence[str]) -> None:
    width = stdout_width()
    for number, (name, grid) in enumerate(titled_grids(evaluation, labels)):
        _print(["", *table_lines(grid, width, name), *(["", *_folded([NOTE], width)] if number == 0 else [])])
    _print(_folded(remarks(evaluation), width))


def _print_probes(probes: Sequence[Probed], *, full: bool) -> None:
    """Print what the probes measured of the newest policy, with `full` of every row; they were asked for."""
    width = stdout_width() or PIPED
    for name, grid in probe_grids(probes) if full else ():
        _print(["", *table_lines(grid, width, name)])
    for name, grid, controls in short_probe_grids(probes) if not full else ():
        _print(["", *table_lines(grid, width, name), *_folded([controls], width)])
    if probes:
        _print(["", *_folded([PROBE_NOTE], width)])


def _folded(texts: Iterable[str], width: int) -> list[str]:
    """Fold each text to the width, its indent kept."""
    lines = []
    for text in texts:
        indent = " " * (INDENT if text.startswith(" ") else 0)
        lines += [(indent + part).rstrip() for part in wrapped(text, width - len(indent))] if width else [text]
    return lines


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)
