"""Each mistake of table.py, made in a copy of the package, makes one of its tests fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

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
    words = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True)
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
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Run the tests of every mistake, and all of them once without any; two at a time, each in a copy of its own."""
    copies: Queue[Path] = Queue()
    for name in ("a", "b"):
        copies.put(copied(tmp_path_factory.mktemp(name)))

    def outcome(mutation: Mutation | None) -> Outcome:
        folder = copies.get()
        try:
            if mutation is None:
                return run(tuple(dict.fromkeys(test for one in MUTATIONS for test in one.tests)), folder)
            with mutated(mutation, folder):
                return run(mutation.tests, folder)
        finally:
            copies.put(folder)

    with ThreadPoolExecutor(2) as pool:
        found = pool.map(outcome, (None, *(one for one in MUTATIONS if stands_once(one))))
        names = ("", *(one.name for one in MUTATIONS if stands_once(one)))
        return dict(zip(names, found, strict=True))


def stands_once(mutation: Mutation) -> bool:
    path = ROOT / "clincot" / mutation.file
    return path.is_file() and path.read_text().count(mutation.old) == 1


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_what_is_changed_is_in_the_code_once(mutation: Mutation) -> None:
    assert stands_once(mutation), f"{mutation.file}: {mutation.old!r} is not there once. Follow it."


@pytest.mark.long
@pytest.mark.timeout(900)
def test_without_a_mistake_the_tests_pass(outcomes: dict[str, Outcome]) -> None:
    code, output = outcomes[""]
    assert code == PASSED, output


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mistake_makes_a_test_fail(mutation: Mutation, outcomes: dict[str, Outcome]) -> None:
    code, output = outcomes.get(mutation.name, (None, "is not in the code once"))
    assert code == FAILED, f"{'survived' if code == PASSED else 'tests did not run'}\n{output}"
