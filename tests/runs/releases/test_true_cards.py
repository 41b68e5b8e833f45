"""Cards say what a method did and nothing else: each word of a list below is absent where a round did nothing of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from clincot.records.lineage import Lineage, Pin
from clincot.runs.releases import cards
from clincot.runs.releases.cards.method import Stated, stated_by, stated_in

PINS = {
    "policy": Pin("model", "clincot/phantom-policy", "main", "a" * 40),
    "benchmark": Pin("dataset", "clincot/phantom", "main", "b" * 40),
}
COUNTED = {
    "questions": 40,
    "images": 20,
    "hypotheses": 0,
    "pairs": 31,
    "candidates": 160,
    "drops": {"texts that are equal": 3, "candidates too long for a judge": 0},
    "cut_texts": {"candidates": 4, "chosen": 1, "rejected": 2},
    "scores_histogram": [0] * 10,
    "mean_words_chosen": 12.5,
    "mean_words_rejected": 9.25,
    "licence": "cc0-1.0",
    "source": "clincot/phantom",
}
TRAINED = {
    "pairs": 31,
    "steps": 8,
    "first_loss": 0.69,
    "known_first_loss": 0.69,
    "margin": {"kind": "none", "scale": 1},
}
ROW = {
    "policy": "round-1",
    "inference": "direct",
    "metric": "accuracy",
    "value": 0.5,
    "protocol": "clincot-v2",
    "n": 40,
}
REGIONS = ("region", "crop", "heat map", "hypothes", "grounding", "boxes", "canvas")
JUDGES = ("judge", "consensus", "readout", "scoring", "score", "reference answer")
CHAINS = ("chain", "same step", "look-ahead", "eq. ", "ClinCoT", "evaluator", "gamma")
NOISE = ("noise", "noised", "corrupt", "diffusion")


class WithoutRegions:
    name, title, paper = "self_rewarding", "Self-Rewarding-style", "arXiv 2401.10020"

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        return (f"The policy writes and judges {counts['candidates']} texts.",)


class WithNoise:
    name, title, paper = "noisy", "POVID-style", ""

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        return (f"Rejected: {counts['pairs']} texts about the image under noise.",)


def lineage(stage: str, facts: Mapping[str, Any], method: Stated | None = None, name: str = "clincot") -> Lineage:
    told = dict(facts) | ({"method": method.to_facts()} if method else {})
    return Lineage(
        stage,
        "run",
        1,
        name,
        "phantom",
        "d" * 64,
        "k",
        0,
        pins=PINS,
        sampled_from="base",
        facts=told,  # type: ignore[arg-type]
    )


def every_card(facts: Mapping[str, Any], method: Any) -> dict[str, str]:
    """Render the three cards of a run by `method`: facts as the stages write them."""
    named, told = stated_by(method), stated_by(method, facts)
    trained = lineage("train", TRAINED, named, method.name)
    scored = lineage("evaluate", {"rows": [ROW]}, named, method.name)
    return {
        "dataset": cards.dataset_card("me/run", {"round-1": lineage("build-data", facts, told, method.name)}),
        "adapter": cards.adapter_card("me/run", {"round-1": trained}, {"round-1": scored}),
        "results": cards.results_card("me/run", {"round-1": scored}),
    }


def said(text: str, words: tuple[str, ...]) -> set[str]:
    """Return which of `words` a card holds; a name in capitals and small letters is not the package's."""
    return {word for word in words if word in (text if word == "ClinCoT" else text.lower())}


def test_a_method_without_regions_is_not_said_to_have_looked_for_any() -> None:
    judges = [{"repo": "policy_itself", "context": "blind", "sees_reference": False}]
    facts = COUNTED | {"judges": judges, "judging": {"scoring": "generated", "consensus": "agreement"}}
    made = every_card(facts | {"scores_histogram": [1, 2, 0, 0, 0, 0, 0, 0, 0, 9]}, WithoutRegions())
    for text in made.values():
        assert said(text, (*REGIONS, *CHAINS, *NOISE, "consensus")) == set()
        assert "Self-Rewarding-style, arXiv 2401.10020" in text
    assert "The policy writes and judges 160 texts." in made["dataset"]
    assert "round-1: scoring `generated`.\n" in made["dataset"]
    assert "it did not see the reference answer" in made["dataset"]
    assert "| round-1 | 1 | 2 | 0 |" in made["dataset"]


def test_a_method_without_judges_is_not_said_to_have_asked_any() -> None:
    made = every_card(COUNTED, WithNoise())
    for text in made.values():
        assert said(text, (*REGIONS, *CHAINS, *JUDGES)) == set()
    assert "Rejected: 31 texts about the image under noise." in made["dataset"]
    assert "DPO without a margin" in made["adapter"]
    assert "POVID-style on the benchmark" in made["adapter"]


def test_the_lists_of_words_are_found_where_they_are_true() -> None:
    """A list that no card can hit would let everything through."""
    judges = [{"repo": f"judge-{n}", "context": "reference", "sees_reference": True} for n in (1, 2)]
    pairing = {"pairs_per_step": 2, "min_gap": 0.05, "pair_scope": "any", "gamma": 0.5, "consensus": "agreement"}
    facts = COUNTED | {"judges": judges, "judging": {"readout": "expected", "consensus": "agreement"}}
    facts |= {"hypotheses": 120, "pairing": pairing, "views": "canvas", "scores_histogram": [1] * 10}
    made = replace(lineage("build-data", facts), pins=PINS | {"proposer": PINS["policy"]})
    text = cards.dataset_card("me/run", {"round-1": made})
    assert said(text, REGIONS) == {"region", "crop", "heat map", "hypothes", "grounding", "canvas"}
    assert said(text, JUDGES) == {"judge", "consensus", "scoring", "score", "reference answer"}
    assert said(text, CHAINS) == {"same step", "look-ahead", "eq. ", "ClinCoT", "evaluator", "gamma"}


def test_only_sections_with_something_to_show_are_there() -> None:
    text = cards.dataset_card("me/run", {"round-1": lineage("build-data", COUNTED, stated_by(WithNoise(), COUNTED))})
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        *("# me/run", "## How it was made", "### What was left out", "### Length bias", "## How to load it"),
        *("## Licence", "## Lineage", "## Limits"),
    ]
    assert "texts that are equal" in text and "too long for a judge" not in text  # counted 0 times
    assert "every candidate with its log-probability." in text


def test_rounds_of_different_statements_are_told_apart() -> None:
    first, second = (stated_by(WithNoise(), COUNTED | {"pairs": pairs}) for pairs in (31, 40))
    made = {f"round-{i}": lineage("build-data", COUNTED, stated) for i, stated in enumerate((first, second, second), 1)}
    text = cards.dataset_card("me/run", made)
    assert "round-1 (POVID-style):\n\n- Rejected: 31 texts" in text
    assert "round-2, round-3 (POVID-style):\n\n- Rejected: 40 texts" in text
    assert text.count("Rejected: 40 texts") == 1


def test_static_pairs_are_not_said_to_come_from_a_policy() -> None:
    static = Lineage("build-data", "run", 1, "gold", "phantom", "d" * 64, "k", 0, facts=dict(COUNTED))
    text = cards.dataset_card("me/run", {"round-1": static})
    assert "static pairs" in text and "The policy that wrote" not in text


@pytest.mark.parametrize(("gamma", "judges"), [(0.5, 2), (0, 2), (0.5, 1), (0, 1)])
def test_lineages_from_before_methods_stated_facts_are_put_into_true_words(gamma: float, judges: int) -> None:
    pairing = {"pairs_per_step": 2, "min_gap": 0.05, "pair_scope": "across_regions", "gamma": gamma}
    facts = COUNTED | {"pairing": pairing, "judges": [{"repo": f"judge-{n}"} for n in range(judges)]}
    facts |= {"judging": {"readout": "expected", "consensus": "agreement"}}
    text = cards.dataset_card("me/run", {"round-1": lineage("build-data", facts)})
    assert "made with ClinCoT (reconstruction), arXiv 2603.01124" in text
    assert ("look-ahead" in text.lower(), "Eq. 3" in text) == (gamma > 0, gamma > 0)
    assert ("consensus" in text, "Eq. 4" in text) == (judges > 1, judges > 1)
    assert "t most 2 pairs a step with a gap of 0.05, drawn across regions." in text


def test_an_older_lineage_of_an_unknown_method_states_its_name_only() -> None:
    stated = stated_in(lineage("build-data", COUNTED, name="mine"))
    assert (stated.cited, stated.sentences) == ("mine", ())


def test_a_start_adapter_was_trained_by_no_method() -> None:
    start = lineage("train", {"objective": "sft", "examples": 30}, stated_by(WithNoise()))
    text = cards.adapter_card("me/run", {"sft": start})
    assert "trained with SFT (our settings) on" in text and "POVID" not in text
    assert "known value" not in text


@pytest.mark.parametrize(("views", "proposer"), [({"image": 9}, False), ({"image, crop": 9}, True)])
def test_regions_that_only_place_noise_are_no_crops(views: dict[str, int], proposer: bool) -> None:
    facts = COUNTED | {"hypotheses": 12, "candidate_views": views, "candidate_sources": {"policy": 9}}
    made = lineage("build-data", facts, stated_by(WithNoise(), facts))
    if proposer:
        made = replace(made, pins=PINS | {"proposer": PINS["policy"]})
    text = cards.dataset_card("me/run", {"round-1": made})
    assert "| round-1 | 12 | 0 |" in text
    assert ("crop" in text, "grounding model" in text) == (proposer, proposer)


def test_a_card_of_own_data_names_no_repository_no_licence_and_the_reason_of_its_redaction() -> None:
    own = {"source": "./ward", "licence": "", "barred": "is restricted", "withheld": True}
    made = every_card(COUNTED | own, WithoutRegions())["dataset"]
    front = made.split("---")[1]
    assert "source_datasets:\n- original\n" in front and "license" not in front
    assert "are not part of this dataset**: the source is restricted. The image" in made
    assert "The lineage names no licence of the source" in made and "forbids passing them on" not in made
