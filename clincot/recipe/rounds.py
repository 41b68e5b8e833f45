"""A recipe's `train` part and a round -> the same part as that round is trained by."""

from __future__ import annotations

from dataclasses import replace

from clincot.errors import RecipeError
from clincot.recipe.losses import LaterRounds
from clincot.recipe.parts import Train


def of_round(train: Train, round_: int) -> Train:
    """Return `train` with what `later_rounds` says of rounds from the second on; round 1 does not depend on it.

    Raises RecipeError where a learning rate is to be multiplied that the recipe does not give.
    """
    later = train.later_rounds
    plain = replace(train, later_rounds=LaterRounds())
    if round_ < 2:
        return plain
    dpo = dict(train.dpo)
    if later.rate != 1:
        if "learning_rate" not in dpo:
            raise RecipeError(
                "train.later_rounds.rate: multiplies train.dpo.learning_rate, which the recipe does not give. Add it."
            )
        dpo["learning_rate"] *= later.rate
    return replace(
        plain,
        dpo=dpo,
        projector_lr=train.projector_lr * later.rate,
        nll_weight=train.nll_weight + later.nll_weight,
        objective=later.objective or train.objective,
    )
