"""A finished run -> what a person wants to see: the table, where everything was pushed, how to load the adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clincot.evaluation import Evaluation
from clincot.evaluation.tables import rich_tables
from clincot.rounds.releases import Release
from clincot.rounds.run import Run


def print_tables(evaluation: Evaluation) -> None:
    """Print the result tables on stdout."""
    from rich.console import Console

    console = Console()
    # A table that a log or a pipe would fold at 80 columns cannot be read; let it be as wide as it is.
    wide = console if console.is_terminal else Console(width=200)
    for table in rich_tables(evaluation):
        wide.print(table)


def print_summary(run: Run, releases: Sequence[Release], evaluation: Evaluation, say: Callable[[str], None]) -> None:
    """Print the tables, then every repository with its tag, then the lines that load the newest adapter."""
    print_tables(evaluation)
    where = run.target.label if any(release.pushed for release in releases) else run.store.label
    say(f"\nIn {where}:")
    for release in releases:
        say(f"  {release.kind:8}{release.repo}  {release.tag}  {(release.pushed or release.pin).sha[:12]}")
    newest = [release for release in releases if release.lineage.stage == "train"]
    if newest:
        base = run.recipe.models.policy.repo
        say(
            "\nLoad the adapter:\n"
            f'  base = AutoModelForImageTextToText.from_pretrained("{base}")\n'
            f'  model = PeftModel.from_pretrained(base, "{newest[-1].repo}", revision="{newest[-1].tag}")'
        )
