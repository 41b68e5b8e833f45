"""The lineages of an adapter's rounds, and of their evaluations -> the adapter's card."""

from __future__ import annotations

from typing import Any

from clincot.runs.releases.cards.method import stated_in
from clincot.runs.releases.cards.rendering import (
    TAGS,
    Ordered,
    Rounds,
    distinct,
    languages,
    licence_of,
    ordered,
    render,
)
from clincot.runs.releases.cards.tables import all_rows, model_index, tables


def adapter_card(repo: str, lineages: Rounds, evaluations: Rounds | None = None) -> str:
    """Render the card of a LoRA adapter; rows of `evaluations` become its model-index and a table."""
    rounds = ordered(lineages)
    scored = ordered(evaluations) if evaluations else []
    results = all_rows(scored)
    index = model_index(repo, rounds, scored)
    base, base_sha = _base(rounds)
    metadata = {
        "library_name": "peft",
        **licence_of(rounds),
        "base_model": base,
        "base_model_relation": "adapter",
        "datasets": distinct(made.trained_on(repo) for _, made in rounds),
        "pipeline_tag": "image-text-to-text",
        "language": languages(rounds),
        "tags": [*TAGS, "lora", *_objectives(rounds), "trl"],
        **({"model-index": index} if index else {}),
    }
    shown: dict[str, Any] = {
        "base": base,
        "base_sha": base_sha,
        "scored": scored[-1:],
        "tables": tables(results),
        "results_repo": f"{repo}-results" if results else "",
        "preferences": distinct(made.trained_on(repo) for _, made in rounds if "preferences" in made.own),
    }
    return render("adapter", repo, rounds, metadata, method=stated_in(rounds[-1][1]), **shown)


def _objectives(rounds: Ordered) -> list[str]:
    return distinct("sft" if made.facts.get("objective") == "sft" else "dpo" for _, made in rounds)


def _base(rounds: Ordered) -> tuple[str, str]:
    """Return the base policy's repo and commit, as the latest round pinned it."""
    pins = [made.pins["policy"] for _, made in rounds if "policy" in made.pins]
    return (pins[-1].repo, pins[-1].sha) if pins else ("", "")
