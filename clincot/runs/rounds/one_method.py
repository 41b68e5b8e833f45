"""A run and a round of it -> an error for a round of another method: a run's adapters are those of one method."""

from __future__ import annotations

from clincot import methods
from clincot.errors import RecipeError
from clincot.records.lineage import Lineage
from clincot.runs import releases
from clincot.runs.run import Run
from clincot.stages.exchange.importing import METHOD as IMPORTED

ANOTHER = "Give that round's recipe, or another --name for this one"


def check_method(run: Run, round_: int, todo: str = ANOTHER) -> bool:
    """Return whether the run has pairs of `round_`; raises RecipeError for those of another method."""
    found = releases.find(run, "dataset", run.preferences_repo, round_)
    if found is None:
        return False
    refuse_other_method(run, releases.read_lineage(*found, round_), todo)
    return True


def refuse_other_method(run: Run, made: Lineage, todo: str = ANOTHER) -> None:
    """Raise RecipeError for pairs of another method; imported rows are of none, and any recipe trains on them."""
    own = methods.load(run.recipe.method.name).name
    if made.method not in (IMPORTED, own):
        raise RecipeError(
            f"{run.name}: its round {made.round} is of method {made.method}, and the recipe's method is {own}. {todo}."
        )
