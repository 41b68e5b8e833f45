"""The lineages of a preference dataset's rounds -> its card: what the method states, and what the rounds counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clincot.recipe.own_data import is_path
from clincot.records.lineage import Lineage
from clincot.runs.releases.cards.method import Stated, stated_in
from clincot.runs.releases.cards.rendering import (
    TAGS,
    Ordered,
    Rounds,
    distinct,
    languages,
    licence_of,
    ordered,
    render,
    split,
)

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def dataset_card(repo: str, lineages: Rounds) -> str:
    """Render the card of a preference dataset from the lineage of each of its rounds (name -> lineage).

    A section is there only where a round has what it is about: regions, judges, scores, cut texts.
    """
    rounds = ordered(lineages)
    latest = rounds[-1][0]
    pairs = sum(lineage.facts.get("pairs", 0) for _, lineage in rounds)
    metadata = {
        "language": languages(rounds),
        **licence_of(rounds),
        "task_categories": ["visual-question-answering"],
        "tags": [*TAGS, "preference", "dpo", "image", "text"],
        "size_categories": [next((name for limit, name in SIZES if pairs < limit), "n>1M")],
        "source_datasets": distinct(_source(lineage) for _, lineage in rounds),
        "configs": [config for name, lineage in rounds for config in _configs(name, lineage, name == latest)],
    }
    return render(
        "dataset",
        repo,
        rounds,
        metadata,
        method=stated_in(rounds[-1][1]),
        statements=_statements(rounds),
        looked=[(name, made) for name, made in rounds if made.facts.get("hypotheses")],
        layouts={name: _layout(made) for name, made in rounds},
        grounded=any(made.facts.get("hypotheses") and "proposer" in made.pins for _, made in rounds),
        judged=[(name, made) for name, made in rounds if made.facts.get("judges")],
        scored=[(name, made) for name, made in rounds if any(made.facts.get("scores_histogram", ()))],
        sampled=any(made.sampled_from is not None for _, made in rounds),
        drops=_drops(made for _, made in rounds),
    )


def _source(made: Lineage) -> str:
    """Return the dataset that a round was made from; the Hub calls what is made of no other repository original."""
    source = str(made.facts.get("source") or "")
    return "original" if is_path(source) else source


def _layout(made: Lineage) -> str:
    """Return how image and crop reached the policy, "" where no candidate saw a crop; older rounds all did."""
    if not any("crop" in seen for seen in made.facts.get("candidate_views", ("crop",))):
        return ""
    return "one canvas" if "canvas" in (made.facts.get("image_layout"), made.facts.get("views")) else "two images"


def _statements(rounds: Ordered) -> list[tuple[str, Stated]]:
    """Return what is stated of the rounds: names of rounds, and what their method did, equal statements once."""
    groups: dict[Stated, list[str]] = {}
    for name, made in rounds:
        groups.setdefault(stated_in(made), []).append(name)
    return [("" if len(groups) == 1 else ", ".join(names), stated) for stated, names in groups.items()]


def _drops(lineages: Iterable[Lineage]) -> list[str]:
    """Return the reasons for which something was left out in any round."""
    return distinct(reason for made in lineages for reason, count in made.facts.get("drops", {}).items() if count)


def _configs(name: str, lineage: Lineage, default: bool) -> list[dict[str, Any]]:
    pairs = {"config_name": name, "data_files": split("train", f"{name}/*.parquet")}
    configs = [pairs | ({"default": True} if default else {})]
    for config, fact in ((f"{name}-candidates", "candidates"), (f"{name}-regions", "hypotheses")):
        if lineage.facts.get(fact):
            configs.append({"config_name": config, "data_files": split("train", f"{config}/*.parquet")})
    return configs
