"""The facts of a build: what judges read comes from what a method showed them, not from the recipe."""

from __future__ import annotations

import pytest

from clincot.benchmarks.base import Source
from clincot.records.lineage import Lineage
from clincot.runs.releases.cards import dataset_card
from clincot.runs.rounds.build_facts import facts_of
from tests.lamps import recipe

SOURCE = Source("lamps", "ns/lamps", "main", "cc0-1.0", redistributable=True, modality="other")
COUNTS = {
    "candidates": 7,
    "pairs": 2,
    "candidate_sources": {"gold": 2, "policy": 5},
    "candidate_views": {"image, crop": 3, "diffusion noise": 2},
}


@pytest.mark.parametrize(
    ("rated", "context", "sees"),
    [
        ({"texts": 5, "with_reference": 5, "with_region": 0}, "reference", True),
        ({"texts": 5, "with_reference": 0, "with_region": 5}, "facts", False),
        ({"texts": 5, "with_reference": 0, "with_region": 0}, "blind", False),
        (None, "reference", True),
    ],
)
def test_judges_are_said_to_have_read_what_they_were_shown(rated: dict | None, context: str, sees: bool) -> None:
    facts = facts_of(recipe(), SOURCE, COUNTS | ({} if rated is None else {"rated": rated}))
    assert {(judge["context"], judge["sees_reference"]) for judge in facts["judges"]} == {(context, sees)}
    assert facts["judging"]["context"] == context


def test_pairs_drawn_again_are_of_the_chains_of_their_build() -> None:
    again = facts_of(recipe(), SOURCE, COUNTS | {"paired_from": {"tag": "round-1", "before": {"min_gap": 0.05}}})
    text = "The chains are those of the build"
    assert any(text in sentence for sentence in again["method"]["sentences"])
    assert not any(text in sentence for sentence in facts_of(recipe(), SOURCE, COUNTS)["method"]["sentences"])


def test_judges_that_rated_nothing_are_not_named() -> None:
    facts = facts_of(recipe(), SOURCE, COUNTS | {"rated": {"texts": 0}})
    assert "judges" not in facts and "judging" not in facts


def test_the_method_states_what_it_did_with_its_judges() -> None:
    both, one = (facts_of(recipe(*set_), SOURCE, COUNTS) for set_ in ((), ("build.judging.judges=1",)))
    assert both["method"]["title"] == "ClinCoT (reconstruction)" and both["candidates"] == 7
    assert "consensus (Eq. 4)" in both["method"]["sentences"][0]
    assert not any("consensus" in sentence for sentence in one["method"]["sentences"])


def test_the_card_says_how_replies_were_begun_where_they_were() -> None:
    for set_, says in ((("build.judging.prefill='Rating: '",), ", replies begun with `Rating:`.\n"), ((), "`.\n")):
        facts = facts_of(recipe(*set_), SOURCE, COUNTS)
        made = Lineage("build-data", "run", 1, "clincot", "lamps", "d" * 64, "k", 0, facts=facts)
        assert f"consensus `agreement`{says.removeprefix('`')}" in dataset_card("me/run", {"round-1": made})
        assert ("prefill" in facts["judging"]) is bool(set_)


def test_the_card_shows_who_wrote_the_candidates_and_what_the_policy_saw() -> None:
    facts = facts_of(recipe(), SOURCE, COUNTS)
    made = Lineage("build-data", "run", 1, "clincot", "lamps", "d" * 64, "k", 0, facts=facts)
    text = dataset_card("me/run", {"round-1": made})
    assert "| round-1 | gold 2, policy 5 | diffusion noise: 2; image, crop: 3 |" in text
