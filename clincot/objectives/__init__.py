"""The name of an objective -> its trainer; imported only when a recipe names it."""

OBJECTIVES = {"margin_dpo": "clincot.objectives.margin_dpo:MarginDPOTrainer"}
