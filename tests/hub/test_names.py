"""Names are judged here as a Hub does: what passes is taken by the client and by the embedded Hub, without asking."""

from __future__ import annotations

import pytest
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from clincot.hub.names import is_url, name_fault, owner_fault, repo_fault, revision_fault
from clincot.localhub.names import check_repo_id
from clincot.localhub.problems import HubError

NAMES = ["a", "A1", "a-b", "a_b", "a.b", "_a", "a" * 96, "clincot-phantom-vqa-rad-sft", "1", "a-1.2_c"]
ODD = [
    "",
    " ",
    "a b",
    "ä",
    "a/b",
    "a\\b",
    "-a",
    "a-",
    ".a",
    "a.",
    ".",
    "..",
    "a--b",
    "a..b",
    "a.git",
    "a" * 97,
    "a\n",
    "a:b",
]
ODD += ["tree", "resolve", "a*", "a~1", "\N{CYRILLIC SMALL LETTER A}bc", "a\N{ZERO WIDTH SPACE}b"]


@pytest.mark.parametrize("name", NAMES)
def test_what_passes_is_taken_by_client_and_hub(name: str) -> None:
    assert name_fault(name) == "" and repo_fault(name) == "" and repo_fault(f"owner/{name}") == ""
    validate_repo_id(f"owner/{name}")
    assert check_repo_id(f"owner/{name}")


@pytest.mark.parametrize("name", ODD)
def test_what_a_client_or_hub_refuses_is_refused_at_once(name: str) -> None:
    assert name_fault(name) and repo_fault(f"owner/{name}")


@pytest.mark.parametrize("letter", [chr(code) for code in [*range(1, 128), 0xE4, 0x3B1, 0xFF0E]])
def test_no_letter_passes_that_either_would_refuse(letter: str) -> None:
    for name in (f"a{letter}b", f"{letter}ab", f"ab{letter}"):
        if not name_fault(name):
            try:
                validate_repo_id(f"owner/{name}")
                check_repo_id(f"owner/{name}")
            except (HFValidationError, HubError) as error:
                pytest.fail(f"{name!r}: {error}")


def test_the_longest_ending_of_a_run_counts() -> None:
    assert name_fault("a" * 84, "-preferences") == ""
    assert "97 letters with '-preferences' after it" in name_fault("a" * 85, "-preferences")


def test_owners_are_names_and_no_words_of_the_urls() -> None:
    assert owner_fault("clincot") == "" and owner_fault("api") and owner_fault("a/b") and repo_fault("datasets/a")


@pytest.mark.parametrize("revision", ["main", "v1.0", "round-1-v2", "refs/pr/1", "0" * 40, "feature/x"])
def test_branches_tags_and_commits_are_taken(revision: str) -> None:
    assert revision_fault(revision) == ""


@pytest.mark.parametrize(
    "revision", ["", " ", "a b", "-x", "a..b", "a/", "/a", "a//b", "a.lock", "ä", "a~1", "a^", "a:b"]
)
def test_what_git_takes_for_no_name_is_refused(revision: str) -> None:
    assert revision_fault(revision)


def test_urls_have_a_host_and_a_port_that_is_a_number() -> None:
    assert all(map(is_url, ["http://127.0.0.1:8000/v1", "https://hub.example", "http://[::1]:80", "http://host"]))
    odd = ["host:80", "http://", "http://:80", "http://a:b", "http://a:99999", "http://a:0", "http://[::1", "file:///a"]
    assert not any(map(is_url, [*odd, "http://a b", "http://a\n", "http://ä", ""]))
