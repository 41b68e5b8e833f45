"""docs/mistakes.md: a mistake for every command, and what the terminal shows is what the page says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from mistakes_page import MISTAKES, PAGE, WRITER, made

from clincot.cli import app


def commands(group: Any, words: str = "") -> Iterator[str]:
    """Return the names of every command below `group`."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{words}{name} ")
        else:
            yield f"{words}{name}"


def test_every_command_has_a_mistake() -> None:
    assert set(MISTAKES) == set(commands(typer.main.get_command(app)))
    for command, lines in MISTAKES.items():
        assert lines and any(line.startswith(command) for line in lines)


@pytest.mark.parametrize("columns", [40, 200])
def test_the_page_is_what_the_terminal_shows_at_any_width(columns: int, tmp_path: Path) -> None:
    assert made(tmp_path, columns) == PAGE.read_text(encoding="utf-8"), f"run `{WRITER}`"
    assert not list(tmp_path.iterdir())
