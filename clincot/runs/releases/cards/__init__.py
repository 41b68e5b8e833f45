"""The lineages of every round that a repository holds -> its README.md: YAML front matter and Markdown."""

from clincot.runs.releases.cards.adapter import adapter_card
from clincot.runs.releases.cards.dataset import dataset_card
from clincot.runs.releases.cards.rendering import cards_folder
from clincot.runs.releases.cards.results import results_card

__all__ = ["adapter_card", "cards_folder", "dataset_card", "results_card"]
