"""The lineages of a run's evaluations -> the card of its results."""

from __future__ import annotations

from clincot.runs.releases.cards.method import stated_in
from clincot.runs.releases.cards.rendering import TAGS, Rounds, languages, licence_of, ordered, render, split
from clincot.runs.releases.cards.tables import all_rows, tables


def results_card(repo: str, lineages: Rounds) -> str:
    """Render the card of evaluation results: the headline numbers of every round, each under its protocol."""
    rounds = ordered(lineages)
    metadata = {
        "language": languages(rounds),
        **licence_of(rounds),
        "task_categories": ["visual-question-answering"],
        "tags": [*TAGS, "evaluation"],
        "configs": [
            {"config_name": f"{name}-predictions", "data_files": split("test", f"{name}-predictions/*.parquet")}
            for name, lineage in rounds
            if lineage.facts.get("predictions")
        ],
    }
    method = stated_in(rounds[-1][1])
    return render("results", repo, rounds, metadata, method=method, tables=tables(all_rows(rounds)))
