"""The name of an objective -> where its trainer stands; imported only when a recipe names it."""

OBJECTIVES = {"margin_dpo": "clincot.objectives.margin_dpo:MarginDPOTrainer"}
