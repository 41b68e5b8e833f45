"""Each mistake of table.py, made in a copy of the package, makes one of its tests fail."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from warm import LIBRARIES, Program, nursery

sys.path.insert(0, str(Path(__file__).parent))
from mutation import Mutation
from table import MUTATIONS

ROOT = Path(__file__).parents[2]
PARTS = ("clincot", "tests", "recipes", "hub_cards", "pyproject.toml")
PASSED, FAILED = 0, 1  # exit codes of pytest; others say that it could not run the tests
Outcome = tuple[int, str]


def copied(folder: Path) -> Path:
    for name in PARTS:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(place, folder / name)
    return folder


def run(tests: tuple[str, ...], folder: Path) -> Outcome:
    """Run tests in a copy; no byte code is kept, because a changed file may have the same size and second."""
    env = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    words = ("pytest", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests)
    done = nursery(LIBRARIES).run(Program(words, str(folder), env), timeout=840)
    return done.returncode, done.stdout[-2000:] + done.stderr[-2000:]


@contextmanager
def mutated(mutation: Mutation, folder: Path) -> Iterator[None]:
    path = folder / "clincot" / mutation.file
    text = path.read_text()
    path.write_text(text.replace(mutation.old, mutation.new))
    try:
        yield
    finally:
        path.write_text(text)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("copy"))


def is_there_once(mutation: Mutation) -> bool:
    path = ROOT / "clincot" / mutation.file
    return path.is_file() and path.read_text().count(mutation.old) == 1


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_what_is_changed_is_in_the_code_once(mutation: Mutation) -> None:
    assert is_there_once(mutation), f"{mutation.file}: {mutation.old!r} is not there once. Follow it."


@pytest.mark.long
@pytest.mark.timeout(900)
def test_without_a_mistake_the_tests_pass(copy: Path) -> None:
    code, output = run(tuple(dict.fromkeys(test for one in MUTATIONS for test in one.tests)), copy)
    assert code == PASSED, output


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mistake_makes_a_test_fail(mutation: Mutation, copy: Path) -> None:
    assert is_there_once(mutation)
    with mutated(mutation, copy):
        code, output = run(mutation.tests, copy)
    assert code == FAILED, f"{'survived' if code == PASSED else 'tests did not run'}\n{output}"
