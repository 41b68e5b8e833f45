"""The table of `docs/models.md` says of every class that `make test` leaves out what the code does with it."""

from __future__ import annotations

import pytest

from perf.capabilities import PAGE, row_of, rows_in
from tests.perf.test_capabilities import TWINS
from tests.vlms import WITH_TORCHVISION


@pytest.mark.parametrize("name", [make.__name__ for make in (*WITH_TORCHVISION, *TWINS)])
def test_the_page_says_what_a_class_does(name: str) -> None:
    assert row_of(name) == rows_in(PAGE.read_text()).get(name), f"run `python perf/capabilities.py --class {name}`"
