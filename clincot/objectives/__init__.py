"""Preference pairs or answers -> a loss: trainers, each imported only when a recipe names it."""

from clincot.recipe.plugins import Table

OBJECTIVES = Table("objectives", {"margin_dpo": "clincot.objectives.margin_dpo:MarginDPOTrainer"})
