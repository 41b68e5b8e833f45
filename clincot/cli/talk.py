"""What commands say: talk on stderr, data on stdout."""

from __future__ import annotations

import typer


def say(message: str) -> None:
    """Print a line of talk."""
    typer.echo(message, err=True)


def next_step(command: str) -> None:
    """Print the command a user is likely to want now."""
    typer.echo(f"\nNext: {command}", err=True)
