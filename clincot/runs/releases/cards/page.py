"""The lineage of a round whose pairs a page shows -> the card of the static Space that holds the page."""

from __future__ import annotations

from clincot.records.lineage import Lineage
from clincot.runs.releases.cards.method import stated_in
from clincot.runs.releases.cards.rendering import TAGS, licence_of, render
from clincot.runs.releases.tags import tag_of


def page_card(repo: str, tag: str, made: Lineage, pairs: int, dataset: str) -> str:
    """Render the card of a Space; `dataset` is the round's repository on the same Hub, "" where it is not there."""
    rounds = [(tag_of(made.round), made)]
    metadata = {
        "title": f"Pairs of {made.run} {tag}",
        "sdk": "static",
        "colorFrom": "blue",
        "colorTo": "gray",
        "pinned": False,
        "datasets": [dataset] if dataset else [],
        **licence_of(rounds),
        "tags": [*TAGS, "preference"],
    }
    return render("page", repo, rounds, metadata, method=stated_in(made), tag=tag, pairs=pairs, dataset=dataset)
