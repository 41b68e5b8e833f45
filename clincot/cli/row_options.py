"""The options that commands share which import rows -> checked before a run is opened, and the run's options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from clincot.cli.choices import completing, listed
from clincot.cli.options import Options
from clincot.rows.formats import FORMATS

RECIPE = "rows"  # what is meant where no recipe is named
Format = Annotated[
    str,
    typer.Option(
        "--format",
        help=f"Whose rows they are. {listed(FORMATS)} A class of your own: ./file.py:Class.",
        autocompletion=completing(FORMATS),
    ),
]
Images = Annotated[
    Path | None, typer.Option("--images", help="Folder in which the rows' image paths begin. Else that of the file.")
]
Licence = Annotated[str, typer.Option("--licence", help="Licence of rows and images, as the Hub writes it: cc-by-4.0.")]
Kept = Annotated[
    str,
    typer.Option(
        "--privacy", help="Where the rows may go: restricted (this machine, trusted hosts), consented, public."
    ),
]
Margin = Annotated[
    str, typer.Option("--margin", help="Margin of the pairs in nats: none, column (each row's), or a number for all.")
]


def checked(
    source: str,
    format: str,
    images: Path | None,
    margin: str,
    licence: str,
    privacy: str,
    *,
    keep: Sequence[str] = (),
    gold: Path | None = None,
) -> None:
    """Raise ClincotError for what cannot be imported, before a run is opened."""
    from clincot.runs.checks import rows

    rows.check_source(source)
    rows.check_format(format)
    rows.check_folder(images, "--images")
    rows.check_margin(margin)
    rows.check_licence(licence)
    rows.check_privacy(privacy)
    rows.check_keep(keep)
    rows.check_file(gold, "--gold")


def for_rows(options: Options, margin: str) -> Options:
    """Return the options of a run of imported rows; with a margin their scores count."""
    chosen = options.with_recipe(RECIPE)
    return chosen if margin == "none" else chosen.having("train.margin.kind=linear")
