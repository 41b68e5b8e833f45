"""`models.ROLE.load`: what it means for each role, what is refused before anything loads, what loaders are asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sealed_run import SealedRun

from clincot import engines, judges, regions
from clincot.errors import ModelError, RecipeError
from clincot.recipe import Load, ModelSource, Recipe, load_recipe
from clincot.recipe.load import DEFAULT
from clincot.runs.checks.loads import check_loads
from clincot.runs.models import loading
from clincot.runs.models.loads import described, report_loads
from clincot.runs.roles import sources_of, where_of
from clincot.runs.run import Run

NF4, ON_CPU = Load(quantization="nf4"), Load(device_map="cpu")


def changed(recipe: Recipe, **models: Any) -> Recipe:
    return replace(recipe, models=replace(recipe.models, **models))


@pytest.mark.parametrize(
    ("models", "says"),
    [
        (
            {"policy": ModelSource("a/b", kind="openai", endpoint=("http://x/v1",), load=NF4)},
            "models.policy.load: has no meaning for kind 'openai': its server decides",
        ),
        (
            {"critic": ModelSource("a/b", kind="openai", endpoint=("http://x/v1",), load=ON_CPU)},
            "models.critic.load: has no meaning for kind 'openai'",
        ),
        ({"critic": ModelSource(kind="policy", load=NF4)}, "it is the policy. Set models.policy.load"),
        ({"judges": (ModelSource("a/b"), ModelSource(kind="policy_itself", load=NF4))}, r"models\.judges\[1\]\.load"),
        ({"similarity": ModelSource(kind="proposer", load=ON_CPU)}, "it is the proposer"),
        ({"proposer": ModelSource(kind="grid", load=ON_CPU)}, "kind 'grid': it loads no model"),
        ({"editor": ModelSource(kind="rules", load=ON_CPU)}, "kind 'rules': it loads no model"),
        ({"proposer": ModelSource("a/b", kind="medklip", load=NF4)}, "models.proposer.load.quantization: these models"),
        ({"proposer": ModelSource("a/b", kind="medklip", load=Load(device_map="auto"))}, "Name one device"),
        ({"policy": ModelSource("a/b", load=Load(device_map="gpu1"))}, "'gpu1' is no device"),
        (
            {"policy": ModelSource("a/b", load=Load(attention="flash_attention_2", dtype="float32"))},
            "reads no float32",
        ),
    ],
)
def test_a_load_without_meaning_is_refused_before_anything_loads(models: dict[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        check_loads(changed(load_recipe(), **models))


@pytest.mark.parametrize("place", ["cpu", "cuda", "cuda:1", "auto", "balanced_low_0"])
def test_devices_are_known_by_their_names(place: str) -> None:
    check_loads(changed(load_recipe(), policy=ModelSource("a/b", load=Load(device_map=place))))


@pytest.mark.parametrize(
    ("models", "says"),
    [
        ({"policy": ModelSource("a/b", load=NF4)}, r"resident: one: models\.policy\.load\.quantization is nf4"),
        (
            {"judges": (ModelSource("a/b", load=Load(device_map="auto")),)},
            r"judges\[0\].*'auto' puts the model",
        ),
    ],
)
def test_what_cannot_be_moved_takes_no_turns(models: dict[str, Any], says: str) -> None:
    recipe = changed(load_recipe(), **models)
    check_loads(recipe)
    with pytest.raises(RecipeError, match=says):
        check_loads(changed(recipe, resident="one"))


def test_a_role_that_the_method_leaves_alone_may_be_quantised() -> None:
    check_loads(changed(load_recipe(), resident="one", critic=ModelSource("a/b", load=NF4)))


def test_every_role_is_asked_before_the_first_is_loaded(sealed: SealedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second judge's device is absent; the policy's weights are not read for that answer."""
    seen: list[Any] = []
    monkeypatch.setattr(engines, "load", lambda *args, **options: seen.append(args))
    first, second = sealed.run.recipe.models.judges
    run = replace(
        sealed.run,
        recipe=changed(sealed.run.recipe, judges=(first, replace(second, load=Load(device_map="cuda:63")))),
    )
    with pytest.raises(ModelError, match=r"models\.judges\[1\]\.load\.device_map: 'cuda:63' is not on this machine"):
        loading.load_models(run, {}, None, {})
    assert seen == []


def test_loaders_are_asked_for_it_where_it_is_given(sealed: SealedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    for part in (engines, judges, regions):
        monkeypatch.setattr(part, "load", lambda *args, **options: seen.append(options))
    pins = sealed.build.lineage.pins

    def asked(run: Run) -> list[dict[str, Any]]:
        seen.clear()
        loading.load_policy(run, pins["policy"], None, batch_size=4, threads=1)
        loading.load_proposer(run, run.recipe, pins["proposer"])
        tuple(loading._judges(run, sources_of(run.recipe), pins, None, "", 1))
        return [{name: one for name, one in options.items() if name in ("load", "device")} for options in seen]

    models = sealed.run.recipe.models
    half = Load(dtype="bfloat16")
    other = changed(
        sealed.run.recipe,
        policy=replace(models.policy, load=half),
        proposer=replace(models.proposer, load=ON_CPU),
        judges=(models.judges[0], replace(models.judges[1], load=ON_CPU)),
    )
    assert asked(sealed.run) == [{}] * 4
    assert asked(replace(sealed.run, recipe=other)) == [{"load": half}, {"device": "cpu"}, {}, {"load": ON_CPU}]


def test_one_line_says_how_a_role_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    load = Load("bfloat16", "sdpa", "cuda:1", "nf4")
    report_loads({"policy": ModelSource("a/b", load=load), "judge-2": ModelSource("c/d", load=DEFAULT)})
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "models.policy a/b: loaded in bfloat16, with attention sdpa, in 4 bits (nf4, bitsandbytes), on cuda:1"
    ]
    assert described(Load(device_map="auto", quantization="int8")) == (
        "in 8 bits (int8, bitsandbytes), over several devices (auto)"
    )
    assert [where_of(role) for role in ("judge-1", "judge-12", "critic")] == [
        "models.judges[0]",
        "models.judges[11]",
        "models.critic",
    ]
