"""Where a restricted or consented benchmark may go: every role's servers, and the Hub of a push."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sealed import Sealed
from sealed_run import SealedRun, sealed_recipe

from clincot import benchmarks
from clincot.benchmarks.base import Source
from clincot.errors import DataError, RecipeError
from clincot.recipe import Models, ModelSource, Recipe, recipe_from_yaml
from clincot.runs.checks import check_names
from clincot.runs.checks.places import check_places
from clincot.runs.judge_check import JudgeCheck, check_judge
from clincot.runs.redistribution.licences import check_public
from clincot.runs.releases import pushing

PHANTOMS = ("phantom", "phantom-v2")
SHIPPED = (*PHANTOMS, "slake", "slake-zh", "vqa-rad", "vqa-rad-by-image", "iu-xray", "iu-xray-two-views", "path-vqa")
FAR, NEAR = "http://far.lab:8000/v1", "http://127.0.0.1:8000/v1"


def declared(monkeypatch: pytest.MonkeyPatch, privacy: str, **more: Any) -> None:
    """Let the benchmark `sealed` be under a free licence, and declare this."""
    source = replace(Sealed.source, privacy=privacy, redistributable=True, **more)  # type: ignore[arg-type]
    monkeypatch.setattr(Sealed, "source", source)
    monkeypatch.setitem(benchmarks.BENCHMARKS, "sealed", "sealed:Sealed")


def served(role: str, *urls: str, trusted: tuple[str, ...] = ()) -> Recipe:
    """Return a recipe with one role on servers."""
    recipe, source = sealed_recipe(), ModelSource("a/b", kind="openai", endpoint=urls)
    value: Any = (ModelSource("a/c"), source) if role == "judges" else source
    return replace(recipe, models=replace(recipe.models, **{role: value}, trusted_hosts=trusted))


def test_what_is_shipped_is_public_and_what_says_nothing_is_restricted() -> None:
    assert {benchmarks.load(name).source.privacy for name in SHIPPED} == {"public"} and set(SHIPPED) == set(
        benchmarks.BENCHMARKS
    )
    assert Source("own", "me/own", "main", "cc0-1.0", redistributable=True, modality="ct").privacy == "restricted"


@pytest.mark.parametrize("role", ["policy", "judges", "critic", "editor", "similarity", "proposer"])
def test_every_role_and_every_endpoint_of_it_is_looked_at(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, "restricted")
    named = "judges[1]" if role == "judges" else role
    with pytest.raises(RecipeError) as refused:
        check_places(served(role, NEAR, FAR))
    assert f"models.{named}.endpoint: far.lab is neither loopback" in str(refused.value)
    assert "models.trusted_hosts=[HOST]" in str(refused.value)
    check_places(served(role, NEAR, FAR, trusted=("far.lab",)))
    check_places(served(role, NEAR))
    declared(monkeypatch, "consented")
    check_places(served(role, FAR))


def test_no_role_of_a_setting_is_left_out() -> None:
    """Roles are found by their type: a new one cannot be forgotten, unless it is no `ModelSource`."""
    hints = {name: str(hint) for name, hint in Models.__annotations__.items()}
    others = {name for name, hint in hints.items() if hint not in ("ModelSource", "tuple[ModelSource, ...]")}
    assert others == {"resident", "shards_together", "trusted_hosts"}


def test_an_open_run_has_passed_the_check_and_so_has_a_judge_that_is_checked(
    monkeypatch: pytest.MonkeyPatch, sealed: SealedRun
) -> None:
    declared(monkeypatch, "restricted")
    with pytest.raises(RecipeError, match="far.lab is neither"):
        check_names(served("policy", FAR))
    with pytest.raises(RecipeError, match="--endpoint: far.lab is neither"):
        check_judge(sealed.run, JudgeCheck("some/judge", endpoint=FAR), print)


def test_an_odd_privacy_and_an_odd_trusted_host_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, "restrcted")
    with pytest.raises(DataError, match="privacy 'restrcted' is not known. Did you mean 'restricted'"):
        check_places(served("policy", NEAR))
    with pytest.raises(RecipeError, match=r"models.trusted_hosts: '\*.lab' is no host name"):
        check_places(served("policy", NEAR, trusted=("*.lab",)))


def test_pushes_of_restricted_data_stay_on_trusted_hosts_and_only_public_data_become_public(
    sealed: SealedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = replace(sealed.run.target, endpoint="https://huggingface.co", label="https://huggingface.co")
    away = replace(sealed.run, target=hub)
    for privacy in ("restricted", "consented"):
        declared(monkeypatch, privacy)
        pushing.licences.check_push(sealed.run, "sealed")
        with pytest.raises(DataError, match=f"--public: benchmark sealed is {privacy}"):
            check_public("sealed", private=False)
    pushing.licences.check_push(away, "sealed")  # consented
    declared(monkeypatch, "restricted")
    with pytest.raises(DataError, match=r"push to https://huggingface.co: huggingface.co is neither loopback"):
        pushing.check_push(away)
    models = replace(away.recipe.models, trusted_hosts=("huggingface.co",))
    pushing.licences.check_push(replace(away, recipe=replace(away.recipe, models=models)), "sealed")


def test_trusted_hosts_are_kept_with_the_recipe_and_decide_no_result() -> None:
    plain = sealed_recipe()
    named = replace(plain, models=replace(plain.models, trusted_hosts=("gpu-1",)))
    assert recipe_from_yaml(named.to_yaml(), "kept").models.trusted_hosts == ("gpu-1",)
    assert named.hash == plain.hash and "trusted_hosts" not in named.to_published_yaml()
