"""`clincot export --merged`: a round's adapter and its base as one model folder, for servers that take no adapters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clincot.cli.console import next_step, say
from clincot.cli.options import Options, with_options
from clincot.cli.stages import check_push
from clincot.errors import ClincotError
from clincot.executors.world import world_of

Out = Annotated[Path, typer.Argument(help="Folder to write; it must be new or empty.")]
Merge = Annotated[bool, typer.Option("--merged", help="One model: the adapter added into the base's weights.")]
Round = Annotated[int, typer.Option("--round", min=0, help="Which round (0: the newest one).")]
Dtype = Annotated[str, typer.Option(help="Of the written weights: float32, bfloat16, float16 (auto: as the base).")]
DTYPES = ("auto", "bfloat16", "float16", "float32")
Push = Annotated[bool, typer.Option("--push", help="Publish the folder to the target Hub as RUN-merged.")]


@with_options
def export(
    options: Options, out: Out, merged: Merge = False, round: Round = 0, dtype: Dtype = "auto", push: Push = False
) -> None:
    """Write a round's adapter merged into its base, checked against the two, as a folder for serving."""
    world_of().refuse_company("clincot export")
    if not merged:
        raise ClincotError(
            "clincot export: writes merged models only. Give --merged; an adapter is already what its repository holds."
        )
    _check_words(out, dtype)
    run = options.open(round)
    check_push(run, push)
    from clincot.runs.exporting import export_round, push_merged

    adapter, made = export_round(run, round, out, dtype=dtype, push=push)
    say(
        f"wrote {out} ({made.dtype}) from {adapter.pin} ({adapter.pin.revision}); its logits differ from base + adapter"
        f" by {made.difference:.2g} of the largest, allowed {made.allowed:g}"
    )
    if made.from_quantised is not None:
        say(
            f"base + adapter as they were trained, quantised, differ from it by {made.from_quantised:.2g}; see its card"
        )
    if push:
        say(f"pushed as {push_merged(run, adapter, out)} to {run.target.label}")
    next_step(f"vllm serve {out}")


def _check_words(out: Path, dtype: str) -> None:
    """Refuse a folder that is in use and an unknown dtype, before a model is looked for."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ClincotError(f"{out}: exists and is not empty. Name a new folder.")
    if dtype not in DTYPES:
        raise ClincotError(f"--dtype {dtype}: is not one of {', '.join(DTYPES)}. Leave it out for the base's.")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("export")(export)
