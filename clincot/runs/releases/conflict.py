"""A finished tag and a run that asks for something else -> the conflict: what differs and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from clincot import benchmarks, methods
from clincot.errors import TagExists
from clincot.executors.journal import changes
from clincot.objectives import OBJECTIVES
from clincot.recipe import Recipe, recipe_from_yaml
from clincot.recipe.choices import source_keys
from clincot.records.lineage import Lineage, OwnPin, Pin
from clincot.runs import pairing
from clincot.runs.roles import kinds_of, sources_of
from clincot.runs.run import Run

# What of a recipe decides a stage's result; a difference elsewhere is no reason.
DATA = ("seed", "benchmark", "benchmark_revision")
BUILD = ("build.regions", "method.steps", "method.candidates")
TRAIN = ("train.lora", "train.dtype", "train.threads", "models.policy")
DECIDES = {
    "build-data": pairing.DECIDES,
    "train": ("train", "image_layout", "image_fit", "seed", "models.policy"),
    "evaluate": (
        *DATA,
        *BUILD,
        "hypotheses",
        "evaluate",
        "image_layout",
        "image_fit",
        "models.policy",
        "models.proposer",
    ),
    "sft": (*DATA, *TRAIN, "image_fit", "train.sft", "rounds", "build.max_images", "build.max_questions"),
}


@dataclass(frozen=True)
class Existing:
    """A round's newest version: its tag, lineage and stored recipe; `fits` is an older one made as asked now."""

    repo: str
    tag: str
    lineage: Lineage
    recipe: str
    fits: str = ""


def made_as_asked(run: Run, there: Existing, pins: Mapping[str, Pin | OwnPin]) -> bool:
    """Return whether a round that an older version of the package made, with another key, differs in nothing.

    Results always differ: a later version may have protocols that they were not scored under. So does what code outside
    the package made: its key counts the code, which neither settings nor pins show.
    """
    older = there.lineage.stage != "evaluate" and not _outside(run.recipe)
    older = older and pins.keys() == there.lineage.pins.keys() | there.lineage.own.keys()
    return older and not _settings(run, there) and not _pinned(there.lineage, pins)


def refuse(run: Run, there: Existing, pins: Mapping[str, Pin | OwnPin], next_tag: str) -> NoReturn:
    """Raise TagExists with the settings that differ, else the `pins`; `next_tag` is what a new version would get."""
    settings = _settings(run, there)
    lines = [f"  {name}: {change}" for name, change in (settings or _pinned(there.lineage, pins)).items()]
    older = f"{there.fits!r} was made as asked now, but what follows takes the newest version. " if there.fits else ""
    back = "give the former values to go on with it, " if settings else ""
    raise TagExists(
        "\n".join(
            (
                f"{there.repo}: {there.tag!r} in {run.store.label} was made otherwise, and a tag never moves"
                " (there -> now):",
                *(lines or ["  other models, data, adapters or code of your own, or another version of the package"]),
                f"{older}To go on: {back}`{_command(run, there)} --new-version` with these for {next_tag!r},"
                f"{_pair(run, there)} or --name for another run.",
            )
        )
    )


def _outside(recipe: Recipe) -> bool:
    """Return whether a recipe names code of a file or of another package."""
    named = ((methods.METHODS, recipe.method.name), (benchmarks.BENCHMARKS, recipe.benchmark))
    return bool(source_keys(*named, (OBJECTIVES, recipe.train.objective), *kinds_of(sources_of(recipe))))


def _settings(run: Run, there: Existing) -> dict[str, str]:
    stored = _stored(run, there).decided()
    decides = DECIDES["sft" if _is_start(there.lineage) else there.lineage.stage]
    found = changes(stored, run.recipe.decided())
    return {name: change for name, change in found.items() if any(f"{name}.".startswith(f"{key}.") for key in decides)}


def _pinned(made: Lineage, pins: Mapping[str, Pin | OwnPin]) -> dict[str, str]:
    before: dict[str, Pin | OwnPin] = {**made.pins, **made.own}
    return {
        role: f"{before.get(role, 'none')} -> {pin}" for role, pin in pins.items() if not _same(before.get(role), pin)
    }


def _same(one: Pin | OwnPin | None, other: Pin | OwnPin) -> bool:
    """Compare by commit or content: the same version may be asked for by another branch."""
    if isinstance(other, OwnPin):
        return isinstance(one, OwnPin) and one.content == other.content
    return isinstance(one, Pin) and one.sha == other.sha


def _is_start(made: Lineage) -> bool:
    return made.stage == "train" and made.round == 0


def _command(run: Run, there: Existing) -> str:
    made = there.lineage
    rounds = {"evaluate": "", "train": f" --round {made.round}", "build-data": f" --round {made.round}"}[made.stage]
    return f"clincot {made.stage}{' --objective sft' if _is_start(made) else rounds} --name {run.name}"


def _pair(run: Run, there: Existing) -> str:
    if there.lineage.stage != "build-data" or not pairing.drawn_alone(_stored(run, there), run.recipe):
        return ""
    command = f"clincot pair --round {there.lineage.round} --name {run.name}"
    return f" `{command}` with these to draw the pairs again without a model,"


def _stored(run: Run, there: Existing) -> Recipe:
    return recipe_from_yaml(there.recipe, f"{there.repo}@{there.tag}", run.recipe)
