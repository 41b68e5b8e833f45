"""What cannot be scored is refused before anything is answered, and the message names the example."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clincot.errors import ClincotError, DataError
from clincot.stages.evaluate.checks import check_names, checked
from clincot.stages.evaluate.predictions import Store
from tests.lamps import examples

WRONG = {
    "the answer of 'lamps/0/closed' is empty": {"answer": " \n"},
    "the answer of 'lamps/0/closed' is nan, no text": {"answer": float("nan")},
    "the answer of 'lamps/0/closed' is 4, no text": {"answer": 4},
    "the question of 'lamps/0/closed' is None, no text": {"question": None},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_text_that_is_none_is_refused(message: str) -> None:
    first, *rest = examples()
    with pytest.raises(DataError, match=f"phantom test: {message}"):
        checked([replace(first, **WRONG[message]), *rest], "phantom test", 0)


def test_an_empty_split_and_a_repeated_id_are_refused() -> None:
    with pytest.raises(DataError, match="phantom test: has no examples"):
        checked([], "phantom test", 0)
    with pytest.raises(DataError, match="the id 'lamps/0/closed' occurs twice"):
        checked([*examples(), examples()[0]], "phantom test", 0)


def test_the_first_images_keep_all_their_questions() -> None:
    assert [e.id.split("/")[1] for e in checked(examples(), "here", 2)] == ["0", "0", "0", "1", "1", "1"]


def test_policies_have_names_of_their_own() -> None:
    check_names(["base", "round-1"])
    with pytest.raises(ClincotError, match="called the same"):
        check_names(["base", "base"])


def test_a_damaged_part_of_answers_is_named(tmp_path: Path) -> None:
    (tmp_path / "part.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(DataError, match="part.parquet: cannot be read .* Delete it"):
        Store.read(tmp_path / "part.parquet")
