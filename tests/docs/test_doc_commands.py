"""Every `clincot` line of README, docs/ and recipes/ passes the parser of the command line, and so do its recipes."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import Any

from tree import ROOT
from typer.main import get_command

from clincot.cli import app
from clincot.recipe import load_recipe
from tests.docs.blocks import PAGES, all_blocks, spoken

LINES = [(block.where, words) for block in all_blocks() for words in block.commands()]
SPOKEN = [(page.relative_to(ROOT).as_posix(), words) for page in PAGES for words in spoken(page)]
EVERYWHERE = {"--help", "--debug", "--quiet", "--log-file", "--version"}
READERS_OWN = "does not exist", "no such file"  # a file that the reader has
ELSEWHERE = re.compile(
    r"--setting (paper|permissive)|--hardware (?!served-cpu)|accelerate launch|\bsbatch \w|\bhf jobs|https?://(?!127|HOST)"
    r"|microsoft/|BioMistral/|chaoyinshe/|openai/"
)
NOT_RUN = re.compile(r"\bnot\s+run\s+here\b|\bnobody\s+has\s+run\b", re.IGNORECASE)


@cache
def program() -> Any:
    return get_command(app)  # 40 ms


def found(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that `words` name, and the words after its name. Raises KeyError for an unknown one."""
    command = program()
    while words and hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    return command, words


def fault(words: tuple[str, ...]) -> str:
    """Return what the parser, or the reader of recipes, has against `words`; empty: nothing. Nothing is run."""
    try:
        command, rest = found(list(words))
        params = command.make_context(command.name, rest).params
        if {"recipe", "setting", "set"} <= params.keys() and not params.get("name"):
            named = {name: params[name] or None for name in ("benchmark", "hardware")}
            load_recipe(params["recipe"], params["setting"], overrides=params["set"] or (), **named)
    except KeyError as error:
        return f"no command {error}"
    except Exception as error:  # click's own classes are a private copy of typer
        said = str(getattr(error, "message", error))
        return "" if any(words in said for words in READERS_OWN) else said
    return ""


def test_every_line_in_a_block_passes_the_parser_and_names_values_that_recipes_have() -> None:
    assert len(LINES) > 60 and len({where.partition(":")[0] for where, _ in LINES}) > 12
    wrong = [f"{where}: clincot {' '.join(words)}: {said}" for where, words in LINES if (said := fault(words))]
    assert wrong == []


def test_commands_named_in_sentences_exist_and_have_the_options_that_are_named() -> None:
    assert len(SPOKEN) > 60
    wrong = []
    for where, words in SPOKEN:
        try:
            command, rest = found([word for word in words if not word.startswith("-")][:2])
        except KeyError:
            command, rest = found(list(words[:1]))
        known = EVERYWHERE | {name for param in command.params for name in param.opts}
        absent = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
        wrong += [f"{where}: clincot {' '.join(words)}: {absent}"] if absent else []
    assert wrong == []


def test_a_section_says_so_where_a_command_needs_what_was_never_here() -> None:
    """GPUs, clusters, the public Hub and published weights; `recipe show` reads files alone."""
    silent = [
        f"{block.where}: {line}"
        for block in all_blocks()
        for line in block.lines()
        if ELSEWHERE.search(line) and "recipe show" not in line and not NOT_RUN.search(block.section)
    ]
    assert silent == []


def test_no_block_that_a_test_runs_needs_what_was_never_here() -> None:
    assert [b.where for b in all_blocks() if b.runs and any(map(ELSEWHERE.search, b.lines()))] == []


def test_every_block_of_python_is_python() -> None:
    programs = [block for block in all_blocks() if block.language == "python"]
    assert len(programs) > 10
    for block in programs:
        compile(block.text, block.where, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
