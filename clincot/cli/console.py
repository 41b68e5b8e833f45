"""Lines for a person -> stderr; data stay alone on stdout."""

from __future__ import annotations

import typer


def say(message: str) -> None:
    """Print a line for a person."""
    typer.echo(message, err=True)


def next_step(command: str) -> None:
    """Print the command that usually comes next."""
    typer.echo(f"\nNext: {command}", err=True)
