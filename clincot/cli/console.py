"""Lines for a person -> stderr; data stay alone on stdout."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout instead of the tables.")]


def say(message: str) -> None:
    """Print a line for a person."""
    typer.echo(message, err=True)


def next_step(command: str) -> None:
    """Print the command that usually comes next."""
    typer.echo(f"\nNext: {command}", err=True)


def print_json(value: Any) -> None:
    """Print one JSON value on stdout; NaN and infinities, which JSON does not have, are null."""
    typer.echo(json.dumps(_finite(value), indent=1, ensure_ascii=False))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
