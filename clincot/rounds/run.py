"""A recipe and a target Hub -> a run: its name, its folder with the embedded store, and the repositories it writes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clincot.errors import ClincotError
from clincot.hub import Hub, connect
from clincot.lineage import Kind, Pin
from clincot.recipe import Recipe

PUBLIC_HUB = "https://huggingface.co"


@dataclass(frozen=True)
class Run:
    """One recipe in one setting: `store` is its own embedded Hub, `target` the Hub it reads from and pushes to."""

    name: str
    recipe: Recipe
    folder: Path
    store: Hub
    target: Hub
    namespace: str
    private: bool = True

    @property
    def preferences_repo(self) -> str:
        return f"{self.namespace}/{self.name}-preferences"

    @property
    def adapter_repo(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def results_repo(self) -> str:
        return f"{self.namespace}/{self.name}-results"

    def find(self, kind: Kind, repo: str, tag: str) -> tuple[Hub, Pin] | None:
        """Return where `repo` has `tag`: the run's store first, then the target Hub; None when neither has."""
        for hub in (self.store, self.target):
            if tag in hub.tags(kind, repo):
                return hub, hub.resolve(kind, repo, tag)
        return None

    def work(self, *parts: str) -> Path:
        """Return a folder below the run's folder for unfinished work, made when missing."""
        path = self.folder.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path


def target_of(recipe: Recipe, hub: str | None) -> str:
    """Return the target Hub: `--hub`, then HF_ENDPOINT, then the setting's `hub`, then the public Hub."""
    return hub or os.environ.get("HF_ENDPOINT") or recipe.hub or PUBLIC_HUB


def open_run(
    recipe: Recipe,
    *,
    name: str | None = None,
    hub: str | None = None,
    namespace: str | None = None,
    private: bool = True,
    folder: Path = Path("runs"),
    overrides: Sequence[str] = (),
) -> Run:
    """Connect the target Hub, start the run's store and return the run. Raises ClincotError for a bad name."""
    run_name = name or f"{recipe.name}-{recipe.setting}-{recipe.benchmark}"
    if "/" in run_name or run_name.startswith("."):
        raise ClincotError(f"--name {run_name!r}: is not a repository name. Use letters, digits, '-', '_' and '.'.")
    target = connect(target_of(recipe, hub))
    path = folder / run_name
    store = connect(f"local:{path / 'store'}", main=False)
    owner = namespace or recipe.namespace or target.whoami()
    return Run(run_name, recipe, path, store, target, owner, private)
