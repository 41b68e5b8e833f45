"""A finished run -> what a person wants to see: the table, where everything was pushed, how to load the adapter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from clincot.benchmarks import cut_of
from clincot.runs.releases import Release
from clincot.runs.run import Run
from clincot.stages.evaluate import Evaluation
from clincot.stages.evaluate.marks import UNDECIDED
from clincot.stages.evaluate.tables import remarks, rich_tables

if TYPE_CHECKING:
    from clincot.runs.evaluation.compare import Compared


def print_tables(evaluation: Evaluation, labels: Sequence[str] = ()) -> None:
    """Print the tables of the protocols `labels` (none: the one asked under) on stdout, then what belongs to them."""
    from rich.console import Console

    console = Console()
    # A table that a log or a pipe would fold at 80 columns cannot be read; let it be as wide as it is.
    wide = console if console.is_terminal else Console(width=240)
    for table in rich_tables(evaluation, labels):
        wide.print(table)
    for remark in remarks(evaluation):
        wide.print(remark, markup=False, highlight=False)


def print_summary(run: Run, releases: Sequence[Release], evaluation: Evaluation, say: Callable[[str], None]) -> None:
    """Print the tables, then every repository with its tag, the results page, and how to load the newest adapter."""
    print_tables(evaluation)
    where = run.target.label if any(release.pushed for release in releases) else run.store.label
    say(f"\nIn {where}:")
    for release in releases:
        pin = release.pushed or release.pin
        say(f"  {release.kind:8}{pin.repo}  {release.tag}  {pin.sha[:12]}")
    pages = sorted(run.folder.glob("round-*/results/results.html"), key=lambda page: page.stat().st_mtime)
    if pages:
        say(f"\nThe results as a page: {pages[-1]}")
    newest = [release for release in releases if release.lineage.stage == "train"]
    if newest:
        adapter = (newest[-1].pushed or newest[-1].pin).repo
        base = run.recipe.models.policy.repo
        say(
            "\nLoad the adapter:\n"
            f'  base = AutoModelForImageTextToText.from_pretrained("{base}")\n'
            f'  model = PeftModel.from_pretrained(base, "{adapter}", revision="{newest[-1].tag}")'
        )


def print_comparison(compared: Compared, show: int) -> None:
    """Print a table per protocol (first, second, paired difference) and the first `show` changed answers on stdout."""
    from rich.console import Console
    from rich.table import Table

    from clincot.runs.evaluation.compare import comparison_lines

    console = Console()
    wide = console if console.is_terminal else Console(width=240)
    one, two = compared.first, compared.second
    cut = cut_of(one.benchmark)
    wide.print(
        f"{one.benchmark} {one.split}{f' ({cut})' if cut else ''} at {one.data}\nA  {one.name}\nB  {two.name}",
        highlight=False,
        markup=False,
    )
    for label in compared.labels:
        table = Table("measure", "A", "B", "B - A", "n", title=f"protocol {label}, {len(compared.examples)} questions")
        for line in comparison_lines(compared, label):
            table.add_row(*line)
        if table.row_count:
            wide.print(table)
    wide.print(f"Percent, 95 % interval over images. {UNDECIDED}: the paired difference includes 0.", highlight=False)
    counts = Counter(change.verdict for change in compared.changed)
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in counts.items())
    wide.print(f"\n{len(compared.changed)} answers differ{': ' + verdicts if verdicts else ''}.", highlight=False)
    for change in compared.changed[:show]:
        example = compared.examples[change.example_id]
        lines = (f"[{change.verdict}] {change.example_id}: {example.question}", f"  gold: {example.answer}")
        shown = (*lines, f"  A: {change.first}", f"  B: {change.second}")
        wide.print("\n".join(" ".join(line.split()) for line in shown), markup=False, highlight=False)


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
