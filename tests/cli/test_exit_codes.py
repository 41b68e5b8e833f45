"""How a command ends: one line for whatever happened, the traceback by `--debug`, and what `hub` commands leave."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clincot.__main__ import main
from clincot.errors import ClincotError
from clincot.localhub import LocalHub

End = Callable[..., tuple[int, str, str]]


@pytest.fixture
def end(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> End:
    """Return what runs `clincot WORDS` here, in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["clincot", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        return (int(stop.value.code or 0), *capsys.readouterr())

    return run


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("clincot.recipe.load_recipe", fail)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (RuntimeError("a\nb"), 1, "clincot: unexpected error RuntimeError: a b. Run again with --debug to see where."),
        (KeyError("x"), 1, "clincot: unexpected error KeyError: 'x'. Run again with --debug to see where."),
        (RecursionError(), 1, "clincot: unexpected error RecursionError: . Run again with --debug to see where."),
        (ClincotError("here: is wrong. Change it."), 2, "error: here: is wrong. Change it."),
        (FileNotFoundError(errno.ENOENT, "No such file", "a.jsonl"), 2, "error: a.jsonl: No such file. Check the path"),
        (OSError(errno.ENOSPC, "No space left"), 2, "error: this machine: No space left. Free space, then run again."),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 2, "error: x: Permission denied. Permit it, or give"),
        (ConnectionError("no route"), 1, "clincot: unexpected error ConnectionError: no route."),
    ],
)
def test_whatever_ends_a_command_is_one_line_and_a_traceback_by_debug(
    error: Exception, code: int, line: str, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, error)
    found, out, err = end("train")
    assert found == code and not out and err.startswith(line) and err.count("\n") == 1, err
    found, _, err = end("train", "--debug")
    known = line.removesuffix(" Run again with --debug to see where.")  # it is shown
    assert found == code and "Traceback (most recent call last)" in err and known in err
    assert "--debug" not in err.splitlines()[-1]


def test_help_and_version_end_with_0(end: End) -> None:
    assert end("--version")[0] == 0 and end("train", "--help")[0] == 0
    code, _, err = end()
    assert code == 2 and err.startswith("Usage: clincot")


def test_hub_env_makes_no_folder_and_writes_into_none_that_is_no_hub(end: End, tmp_path: Path) -> None:
    assert end("hub", "env", "new")[0] == 2 and not (tmp_path / "new").exists()
    (tmp_path / "work").mkdir()
    (tmp_path / "work/notes.txt").write_text("mine")
    assert end("hub", "env", "work")[0] == 2 and len(list((tmp_path / "work").iterdir())) == 1
    LocalHub(tmp_path / "hub")
    code, out, _ = end("hub", "env", "hub", "--port", "9000")
    assert code == 0 and "export HF_ENDPOINT=http://127.0.0.1:9000" in out


def test_hub_ls_begins_with_a_header(end: End, tmp_path: Path) -> None:
    LocalHub(tmp_path / "hub").seed("model", "org/net", {"config.json": b"{}"}, tag="v1")
    code, out, _ = end("hub", "ls", "hub")
    header, row = out.splitlines()
    assert code == 0 and header.split() == ["kind", "repository", "commit", "access", "tags"]
    for word, value in (("repository", "org/net"), ("access", "p"), ("tags", "v1")):
        assert header.index(word) == row.index(value, header.index(word) - 1)


def test_an_import_that_finds_nothing_makes_no_hub(end: End, tmp_path: Path) -> None:
    LocalHub(tmp_path / "origin")
    code, _, err = end("hub", "import", "org/net", "--from", "local:origin", "--hub", "local:copy")
    assert code == 2 and "org/net is not there" in err and not (tmp_path / "copy").exists()
