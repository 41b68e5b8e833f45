"""A run and an adapter on its target Hub -> a folder with the page as a Gradio Space: code, pins, card, no secrets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from clincot import benchmarks
from clincot.errors import DataError, HubError, NotOnHub, RecipeError
from clincot.hub.licences import refuse_credentialed
from clincot.recipe import ModelSource, Recipe
from clincot.recipe.files import recipes_folder
from clincot.recipe.own_data import is_path
from clincot.records.atomic import new_folder
from clincot.records.lineage import Pin
from clincot.runs.app.space_card import space_card
from clincot.runs.app.space_pins import requirements
from clincot.runs.asking import policy_of
from clincot.runs.checks.asked import BASE
from clincot.runs.checks.places import privacy_of
from clincot.runs.models.pins import model_pins
from clincot.runs.redistribution.model_licences import check_models
from clincot.runs.releases.content import own_pin
from clincot.runs.run import Run

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")
APP = '''"""A page on which people ask {name} about their images; written by `clincot app --export-space`."""

from pathlib import Path
from tempfile import mkdtemp

import clincot
from clincot.recipe import recipe_from_yaml

HERE = Path(__file__).parent

if __name__ == "__main__":
    recipe = recipe_from_yaml((HERE / "recipe.yaml").read_text(encoding="utf-8"), "recipe.yaml")
    run = clincot.open_run(recipe, name={name!r}, folder=mkdtemp())
    from clincot.runs.app.page import serve  # after the run, which sets the Hub that these read once
    from clincot.runs.asking import load_asking

    serve(load_asking(run, {policies!r}), run.name, "0.0.0.0", 7860, print)
'''


def export_space(run: Run, adapter: str, folder: Path) -> Iterator[str]:
    """Write the folder, new or empty, and yield what its reader should know.

    `adapter`: as `load_asking` takes it; it must be on the target Hub, with the same content. Raises DataError for what
    may not be passed on, RecipeError for what a Space cannot run, HubError for an adapter that was not pushed.
    """
    _check(run)
    found = _on_target(run, adapter)
    pins = model_pins(run, {"policy": run.recipe.models.policy, "proposer": run.recipe.models.proposer})
    policies = (BASE, f"{found.repo}@{found.sha}") if found else (BASE,)
    models = dict.fromkeys([*(pin.repo for pin in pins.values()), *([found.repo] if found else [])])
    with new_folder(folder) as partial:
        package = Path(__file__).parents[2]
        shutil.copytree(package, partial / "clincot", ignore=LEFT_OUT)
        if not (partial / "clincot" / "_recipes").is_dir():
            shutil.copytree(recipes_folder(), partial / "clincot" / "_recipes", ignore=LEFT_OUT)
        texts = {
            "app.py": APP.format(name=run.name, policies=policies),
            "recipe.yaml": _pinned(run.recipe, pins).to_published_yaml(),
            "requirements.txt": "\n".join(requirements()) + "\n",
            "README.md": space_card(run.name, tuple(models), private=run.private),
        }
        for name, text in texts.items():
            (partial / name).write_text(text, encoding="utf-8")
    yield f"{folder}: app.py, recipe.yaml, requirements.txt, README.md and the package"
    if run.target.label.startswith("local:"):
        yield f"WARNING: a Space does not reach {run.target.label}. Push the models to its Hub, then export with --hub."
    if run.private:
        yield "Keep the Space private: this export was not checked for a public one (--public checks it)."


def _check(run: Run) -> None:
    """Raise an error for what may not be passed on and what a Space does not have."""
    recipe = run.recipe
    refuse_credentialed(recipe.benchmark)
    if privacy_of(benchmarks.load(recipe.benchmark).source) == "restricted":
        raise DataError(
            f"--export-space: benchmark {recipe.benchmark} is restricted, and a Space is not this machine: what was"
            " trained on it stays here. Use `clincot app` on this machine."
        )
    if is_path(recipe.benchmark):
        raise RecipeError(
            f"--export-space: benchmark {recipe.benchmark} is on this machine alone. Publish it as a dataset, or give"
            " --benchmark with a name that the Space knows."
        )
    for role, source in (("policy", recipe.models.policy), ("proposer", recipe.models.proposer)):
        _check_source(role, source)
    check_models(run)


def _check_source(role: str, source: ModelSource) -> None:
    refuse_credentialed(source.repo)
    if source.endpoint:
        raise RecipeError(f"--export-space: models.{role} is on a server, which a Space does not reach. Name a model.")
    if ":" in source.kind or is_path(source.repo):
        raise RecipeError(
            f"--export-space: models.{role} is a file of this machine. Name a kind and a repository of a Hub."
        )


def _on_target(run: Run, adapter: str) -> Pin | None:
    """Return the adapter's pin on the target Hub, None for the base. Raises HubError where it is not there."""
    name, found = policy_of(run, adapter)
    if found is None:
        return None
    refuse_credentialed(found.pin.repo)
    if "/" in name:  # OWNER/NAME@REV was looked up on the target
        return found.pin
    repo, tag = run.on_target(found.pin.repo), found.pin.revision
    try:
        pin = run.target.resolve("model", repo, tag)
    except NotOnHub as error:
        raise HubError(
            f"{run.target.label}: has no {repo} at {tag}, which the Space would load."
            f" Run `clincot push --name {run.name}` first."
        ) from error
    if own_pin(run.target, pin).content != found.own.content:
        raise HubError(f"{run.target.label}: {repo} at {tag} has other content than this run's. Push a new version.")
    return pin


def _pinned(recipe: Recipe, pins: dict[str, Pin]) -> Recipe:
    """Return the recipe with the commits of the models that a question needs."""
    roles = {role: replace(getattr(recipe.models, role), revision=pin.sha) for role, pin in pins.items()}
    return replace(recipe, models=replace(recipe.models, **roles))
