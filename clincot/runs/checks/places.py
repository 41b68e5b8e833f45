"""A recipe whose benchmark is not public -> an error for a server or Hub to which its data may not go."""

from __future__ import annotations

from collections.abc import Iterable

from clincot import benchmarks
from clincot.benchmarks.base import PRIVACIES, Source
from clincot.engines.hosts import place_fault, trusted_fault
from clincot.errors import DataError, RecipeError, did_you_mean
from clincot.recipe import Models, ModelSource, Recipe


def privacy_of(source: Source) -> str:
    """Return where the data of a benchmark may go. Raises DataError for one that names no such place."""
    privacy: str = source.privacy
    if privacy not in PRIVACIES:
        raise DataError(f"benchmark {source.name}: privacy {privacy!r} is not known.{did_you_mean(privacy, PRIVACIES)}")
    return privacy


def check_places(recipe: Recipe) -> None:
    """Raise RecipeError for the first role whose server may not see the benchmark; no server is asked.

    Roles that the method leaves alone are looked at too: a setting serves every method.
    """
    for host in recipe.models.trusted_hosts:
        if fault := trusted_fault(host):
            raise RecipeError(f"models.trusted_hosts: {fault}.")
    for role, endpoint in _servers(recipe.models):
        check_server_place(recipe, f"models.{role}.endpoint", endpoint)


def check_server_place(recipe: Recipe, where: str, endpoint: str) -> None:
    """Raise RecipeError when the benchmark is restricted and `endpoint` is not where it may go."""
    if privacy_of(benchmarks.load(recipe.benchmark).source) != "restricted":
        return
    if fault := place_fault(endpoint, recipe.models.trusted_hosts):
        raise RecipeError(
            f"{where}: {fault}. Benchmark {recipe.benchmark} is restricted: its images and texts go to this machine and"
            " to trusted hosts alone. Use a server on 127.0.0.1 (an SSH tunnel is one), or set"
            " models.trusted_hosts=[HOST] for a host of your own institution."
        )


def _servers(models: Models) -> Iterable[tuple[str, str]]:
    """Yield every role with every endpoint of it."""
    for role, value in vars(models).items():
        if isinstance(value, ModelSource):
            yield from ((role, endpoint) for endpoint in value.endpoint)
        elif isinstance(value, tuple):
            for i, one in enumerate(value):
                if isinstance(one, ModelSource):
                    yield from ((f"{role}[{i}]", endpoint) for endpoint in one.endpoint)
