"""Preference pairs or answers -> a loss: trainers, each imported only when a recipe names it."""

from clincot.recipe.plugins import Table

OBJECTIVES = Table(
    "objectives",
    {
        "margin_dpo": "clincot.objectives.margin_dpo:MarginDPOTrainer",
        "token_weighted_dpo": "clincot.objectives.token_weighted:TokenWeightedDPOTrainer",
        "image_preference": "clincot.objectives.image_preference:ImagePreferenceTrainer",
        "povid_noise": "clincot.objectives.povid_noise:PovidNoiseTrainer",
    },
)
