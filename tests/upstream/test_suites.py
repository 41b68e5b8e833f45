"""The list of what is out of scope: a failure outside it and an entry that is out of date are both found."""

from __future__ import annotations

import tomllib
from pathlib import Path

from .projects import PROJECTS
from .suites import stale, under, unexpected

OUTCOMES = {
    "test_a.py::test_fails": "failed",
    "test_a.py::TestB::test_fails": "failed",
    "test_a.py::TestB::test_passes": "passed",
    "test_a.py::test_many[one]": "failed",
    "test_a.py::test_skipped": "skipped",
}


def test_a_failure_must_be_listed_under_its_name_its_class_or_its_file():
    assert unexpected(OUTCOMES, ["test_a.py::test_fails", "test_a.py::TestB", "test_a.py::test_many"]) == []
    assert unexpected(OUTCOMES, ["test_a.py::test_fail", "test_a.py::Test"]) == [
        test for test, outcome in OUTCOMES.items() if outcome == "failed"
    ]
    assert under("test_a.py::TestB::test_fails", "test_a.py")


def test_an_entry_whose_tests_pass_or_are_gone_is_stale():
    entries = ["test_a.py::TestB", "test_a.py::test_gone", "test_a.py::test_skipped", "test_a.py::test_many"]
    assert stale(OUTCOMES, entries) == entries[:3]


def test_every_entry_has_a_reason_and_belongs_to_a_project():
    table = tomllib.loads((Path(__file__).parent / "out_of_scope.toml").read_text())
    assert set(table) == set(PROJECTS)
    for groups in table.values():
        assert all(group["why"] and group["tests"] for group in groups)
