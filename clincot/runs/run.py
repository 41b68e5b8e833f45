"""A recipe and a target Hub -> a run: its name, its folder with the embedded store, and the repositories it writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from clincot import benchmarks, methods, protocols
from clincot.benchmarks.base import Benchmark
from clincot.errors import HubError
from clincot.hub import Hub, connect
from clincot.hub.connection import Account
from clincot.hub.environment import users_endpoint
from clincot.localhub import list_repos
from clincot.recipe import Recipe
from clincot.recipe.own_data import published, short
from clincot.records.lineage import Lineage, Stage, package_versions
from clincot.runs.checks import check_names, check_namespace, check_run_name

PUBLIC_HUB = "https://huggingface.co"
LOCAL = "local"  # namespace of the store's repositories where the recipe names none


@dataclass(frozen=True)
class Run:
    """One recipe in one setting: `store` is its own embedded Hub, `target` the Hub it reads from and pushes to.

    `namespace` is that of the store's repositories. Where it is `local`, the target has them under `owner`.
    `acknowledged` are licences of models whose clauses on outputs the user has read (redistribution/clauses.py).
    """

    name: str
    recipe: Recipe
    folder: Path
    store: Hub
    target: Hub
    namespace: str
    private: bool = True
    acknowledged: tuple[str, ...] = ()

    @property
    def start(self) -> str:
        """What round 1 starts from, and the tag of round 0: `base` or `sft`."""
        return self.recipe.train.start

    @cached_property
    def account(self) -> Account:
        """Whose token the target sees, asked once. Raises HubError without a token that it knows."""
        return self.target.account()

    @cached_property
    def owner(self) -> str | None:
        """The namespace on the target: the run's own, else the user of the target's token; None without a token.

        The target is asked here, at the first push or the first search for something that the store lacks.
        """
        if self.namespace != LOCAL:
            return self.namespace
        return self.account.name if self.target.token else None

    def on_target(self, repo: str) -> str:
        """Return the name that a repository of the store has on the target. Raises HubError without a namespace."""
        namespace, _, name = repo.partition("/")
        if namespace != LOCAL:
            return repo
        if self.owner is None:
            raise HubError(
                f"{self.target.label}: no namespace for {name}: no token is set and no namespace is given."
                " Run `hf auth login`, set HF_TOKEN, or give --namespace."
            )
        return f"{self.owner}/{name}"

    def places(self, repo: str) -> Iterator[tuple[Hub, str]]:
        """Yield where a repository of the run may be, with its name there: the store first, then the target."""
        yield self.store, repo
        if self.owner is not None:
            yield self.target, self.on_target(repo)

    @property
    def preferences_repo(self) -> str:
        return f"{self.namespace}/{self.name}-preferences"

    @property
    def adapter_repo(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def results_repo(self) -> str:
        return f"{self.namespace}/{self.name}-results"

    def lineage(self, stage: Stage, round_: int, inputs: str, **made_of: Any) -> Lineage:
        """Return the lineage of a stage's result: what every stage says of its run, and what this one was made of."""
        return Lineage(
            stage=stage,
            run=self.name,
            round=round_,
            method=methods.of_recipe(self.recipe).name,
            benchmark=published(self.recipe.benchmark),
            recipe_hash=self.recipe.hash,
            inputs=inputs,
            seed=self.recipe.seed,
            packages=package_versions(),
            **made_of,
        )

    def benchmark(self, name: str) -> Benchmark:
        """Return the benchmark that a lineage or a stored recipe calls `name`: own data are where this run has them."""
        own = self.recipe.benchmark
        return benchmarks.load(own if published(own) == published(name) else name)

    def work(self, *parts: str) -> Path:
        """Return a folder below the run's folder for unfinished work, made when missing."""
        path = self.folder.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path


def target_of(recipe: Recipe, hub: str | None) -> str:
    """Return the target Hub: `--hub`, then HF_ENDPOINT, then the setting's `hub`, then the public Hub."""
    return hub or users_endpoint() or recipe.hub or PUBLIC_HUB


def open_run(
    recipe: Recipe,
    *,
    name: str | None = None,
    hub: str | None = None,
    namespace: str | None = None,
    private: bool = True,
    acknowledged: tuple[str, ...] = (),
    folder: Path = Path("runs"),
) -> Run:
    """Connect the target Hub, start the run's store and return the run. Raises ClincotError for a bad name.

    The run's recipe names the version of its protocol: a bare name means another one once there is a newer version.
    Nothing is written, and no Hub is asked, before recipe, name and namespace are checked.
    """
    check_names(recipe)
    asked = recipe.evaluate.protocol
    protocol = protocols.load(asked).label if protocols.is_own(asked) else asked
    recipe = replace(recipe, evaluate=replace(recipe.evaluate, protocol=protocol))
    suffix = "-sft" if recipe.train.start == "sft" else ""
    run_name = name or f"{recipe.name}-{recipe.setting}-{short(recipe.benchmark)}{suffix}"
    check_run_name(run_name, given=bool(name))
    if namespace or recipe.namespace:
        check_namespace(namespace or recipe.namespace, "--namespace" if namespace else "namespace")
    target = connect(target_of(recipe, hub))
    path = folder / run_name
    store = connect(f"local:{path / 'store'}", main=False)
    owner = namespace or recipe.namespace or _namespace(path / "store", run_name, target)
    return Run(run_name, recipe, path, store, target, owner, private, acknowledged)


def _namespace(store: Path, name: str, target: Hub) -> str:
    """Return the namespace of a run that names none: that of the results in its store, its own Hub's user, `local`.

    A Hub that this process runs is asked for its user. A remote one is not: work that is not pushed needs no account.
    """
    for repo in list_repos(store):
        namespace, _, found = repo.id.partition("/")
        if found in (name, f"{name}-preferences", f"{name}-results"):
            return namespace
    return target.account().name if target.label.startswith("local:") else LOCAL
