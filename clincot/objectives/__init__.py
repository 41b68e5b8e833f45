"""Preference pairs or answers -> a loss: trainers, each imported only when a recipe names it."""

OBJECTIVES = {"margin_dpo": "clincot.objectives.margin_dpo:MarginDPOTrainer"}
