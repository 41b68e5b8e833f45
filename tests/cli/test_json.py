"""`--json` of every command that reports: stdout is one JSON value and nothing else; `--quiet` and `--log-file`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import clincot
from typer import Typer

from clincot.cli import app

REPORTING = {
    "import-rows",
    "plugins",
    "recipe show",
    "doctor",
    "evaluate",
    "compare",
    "ask",
    "benchmarks list",
    "benchmarks check",
    "hub ls",
    "hub log",
    "judges check",
    "blinded import",
    "table",
    "convert check",
}


def with_json(of: Typer, before: str = "") -> set[str]:
    """Return the commands that take --json."""
    found = {
        f"{before}{one.name}"
        for one in of.registered_commands
        if any("--json" in words_of(note) for note in notes(one.callback))
    }
    return found.union(*(with_json(group.typer_instance, f"{group.name} ") for group in of.registered_groups))


def notes(callback: object) -> list[object]:
    import inspect

    parameters = inspect.signature(callback, eval_str=True).parameters.values()  # type: ignore[arg-type]
    return [note for one in parameters for note in getattr(one.annotation, "__metadata__", ())]


def words_of(note: object) -> tuple[object, ...]:
    return (getattr(note, "default", None), *(getattr(note, "param_decls", None) or ()))


def test_the_commands_that_report_take_it() -> None:
    assert with_json(app) == REPORTING


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("plugins", "package"),
        ("recipe show --setting paper", "from"),
        ("benchmarks list", "licence"),
        ("hub ls HUB", "commit"),
        ("hub log HUB clincot/phantom", "title"),
        ("evaluate --control question_prior --hub local:HUB --set evaluate.resamples=10", "results"),
    ],
)
def test_stdout_is_json_alone(words: str, key: str, small_hub: Path, tmp_path: Path) -> None:
    """Nothing else is on stdout; doctor, judges check and convert check have tests of their own."""
    out, _ = clincot(*words.replace("HUB", str(small_hub)).split(), "--json", "--quiet", cwd=tmp_path)
    found = json.loads(out)
    assert key in (found[0] if isinstance(found, list) else found)


def test_a_comparison_as_json(finished_run: tuple[Path, str, str]) -> None:
    out, _ = clincot("compare", "base", "round-2", "--name", "loop", "--json", cwd=finished_run[0])
    found = json.loads(out)
    assert {r["policy"] for r in found["results"]["second"]} == {"second"} and found["differences"]


def test_quiet_shows_errors_alone_and_a_log_keeps_the_rest(small_hub: Path, tmp_path: Path) -> None:
    words = ("hub", "log", str(small_hub), "clincot/phantom")
    out, err = clincot(*words, "--quiet", cwd=tmp_path)
    assert out and err == ""
    _, err = clincot(*words, "--log-file", "run.log", cwd=tmp_path)
    assert "Next: clincot hub export" in err
    _, err = clincot("hub", "ls", "absent", "--quiet", "--log-file=run.log", cwd=tmp_path, code=2)
    assert err.startswith("error: absent: no such folder")
    lines = (tmp_path / "run.log").read_text(encoding="utf-8").splitlines()
    assert f"clincot {' '.join(words)}" in lines[0] and lines[2].startswith("Next: clincot hub export")
    assert lines[3].endswith("clincot hub ls absent") and lines[4] in err
    _, err = clincot("hub", "ls", "--log-file", cwd=tmp_path, code=2)
    assert err == "error: --log-file: names no file. Give one: --log-file run.log.\n"
    _, err = clincot("hub", "ls", "--log-file", "absent/run.log", cwd=tmp_path, code=2)
    assert "cannot be written (No such file or directory)" in err
