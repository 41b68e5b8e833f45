"""What a build pins, loads and refuses by the needs of its method."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from sealed_run import SealedRun, small_recipe

from clincot import engines
from clincot.editors.rules import Rules
from clincot.errors import ClincotError, ModelError, RecipeError
from clincot.recipe import ModelSource, Recipe, load_recipe
from clincot.records.lineage import Pin
from clincot.runs.checks import check_names
from clincot.runs.checks.needs import check_conditioning
from clincot.runs.models import loading
from clincot.runs.models.served import served_key
from clincot.runs.roles import sources_of
from clincot.runs.rounds.made import inputs_of, made_of

SMALL = "tests.methods.small_methods"
EMPTY = ModelSource()


def recipe(method: str, *overrides: str, **models: Any) -> Recipe:
    made = load_recipe(overrides=[f"method={method}", *overrides])
    return dataclasses.replace(made, models=dataclasses.replace(made.models, **models))


@pytest.mark.parametrize(
    ("method", "roles"),
    [
        ("clincot", ["policy", "proposer", "judge-1", "judge-2"]),
        ("dpo", ["policy", "judge-1", "judge-2", "editor"]),
        ("self_rewarding", ["policy"]),
        ("sima", ["policy"]),
        ("stllava_med", ["policy", "critic"]),
        (f"{SMALL}:Compared", ["policy", "critic"]),
        (f"{SMALL}:Edited", ["policy", "editor"]),
        (f"{SMALL}:Matched", ["policy", "similarity"]),
    ],
)
def test_only_what_a_method_needs_is_pinned(method: str, roles: list[str]) -> None:
    assert list(sources_of(recipe(method))) == roles


def test_the_last_judge_alone_keeps_its_place_in_the_setting() -> None:
    made = recipe("clincot")
    last = dataclasses.replace(made.build, judging=dataclasses.replace(made.build.judging, judges=-1))
    sources = sources_of(dataclasses.replace(made, build=last))
    assert sources["judge-2"] == made.models.judges[1] and "judge-1" not in sources


def test_the_proposer_is_loaded_where_its_score_is_the_similarity() -> None:
    made = recipe(f"{SMALL}:Matched", similarity=ModelSource(kind="proposer"))
    assert list(sources_of(made)) == ["policy", "proposer", "similarity"]


@pytest.mark.parametrize(
    ("method", "models", "says"),
    [
        (
            "clincot",
            {"proposer": EMPTY},
            "models.proposer: none is named, .* needs regions. .* kind: annotated, center",
        ),
        ("clincot", {"judges": ()}, "models.judges: none is named, .* needs judges. .* causal_lm, vlm, policy_itself"),
        (f"{SMALL}:Compared", {"critic": EMPTY}, "models.critic: none .* kind: policy, transformers, openai"),
        ("dpo", {"judges": ()}, "models.judges: none is named, and method dpo needs judges. .* a kind: causal_lm"),
        (
            "dpo",
            {"editor": EMPTY},
            "models.editor: none is named, and method dpo needs editor. .* kind: rules, causal_lm",
        ),
        ("stllava_med", {"critic": EMPTY}, "models.critic: none is named, and method stllava_med .* kind: policy, "),
        ("judged_answers", {"judges": ()}, "models.judges: none is named, and method judged_answers needs judges"),
        ("sft", {}, "rounds: 2 with method sft, which builds no pairs. Set rounds to 0"),
        (f"{SMALL}:Edited", {"editor": EMPTY}, "models.editor: none is named, .* kind: rules"),
        (f"{SMALL}:Matched", {}, "models.similarity: none .* kind: proposer, clip_grad_cam, clip_patches"),
        (
            f"{SMALL}:Matched",
            {"similarity": ModelSource(kind="proposer")},
            "'query_grounder', which has no score of image and text. .* clip_grad_cam or clip_patches",
        ),
        (f"{SMALL}:Matched", {"similarity": ModelSource("a/b", kind="grid")}, "models.similarity.kind 'grid'"),
        (f"{SMALL}:Edited", {"editor": ModelSource("a/b", kind="rules")}, "models.editor.repo: 'rules' reads no model"),
        (f"{SMALL}:Compared", {"critic": ModelSource(kind="transformers")}, "models.critic.repo: a model of kind"),
        (f"{SMALL}:Compared", {"critic": ModelSource("a/b", kind="openai")}, "models.critic: `kind: openai`"),
    ],
)
def test_a_need_that_the_setting_does_not_meet_is_refused_by_name(
    method: str, models: dict[str, Any], says: str
) -> None:
    with pytest.raises(Exception, match=says) as refused:
        check_names(recipe(method, **models))
    assert isinstance(refused.value, ClincotError)


def test_a_setting_without_proposer_and_judges_serves_a_method_without_them() -> None:
    bare = {"proposer": EMPTY, "judges": ()}
    check_names(recipe(f"{SMALL}:Compared", "evaluate.inference=[direct]", **bare))
    with pytest.raises(RecipeError, match=r"evaluate.inference: by region needs a proposer"):
        check_names(recipe(f"{SMALL}:Compared", **bare))


def test_a_need_of_no_role_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.methods.small_methods import Edited

    monkeypatch.setattr(Edited, "needs", frozenset({"oracle"}))
    with pytest.raises(RecipeError, match="needs 'oracle', which is no role. Use regions, judges"):
        check_names(recipe(f"{SMALL}:Edited"))


@pytest.mark.parametrize("method", ["Edited", "Compared"])
def test_no_other_model_is_loaded(sealed: SealedRun, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Any] = []
    monkeypatch.setattr(engines, "load", lambda *args, **options: loaded.append(args) or object())
    monkeypatch.setattr(loading.regions, "load", lambda *args, **options: pytest.fail("a proposer was loaded"))
    monkeypatch.setattr(loading.judges, "load", lambda *args, **options: pytest.fail("a judge was loaded"))
    made = dataclasses.replace(sealed.run, recipe=small_recipe(f"{SMALL}:{method}"))
    models = loading.load_models(made, made_of(made, 1).pins, None, {})
    assert (models.proposer, models.judges, models.similarity, models.base) == (None, (), None, None)
    if method == "Edited":
        assert loaded == [] and models.policy is None and isinstance(models.editor, Rules)
    else:
        assert len(loaded) == 1 and models.critic is not None and models.critic.engine is models.policy


def test_a_proposer_without_a_score_is_refused_when_it_is_loaded(sealed: SealedRun) -> None:
    source = ModelSource(kind="proposer")
    asked = small_recipe(f"{SMALL}:Matched")
    asked = dataclasses.replace(asked, models=dataclasses.replace(asked.models, similarity=source))
    run = dataclasses.replace(sealed.run, recipe=asked)
    with pytest.raises(ModelError, match="models.similarity: .* has no score of image and text"):
        loading.load_models(run, sealed.build.lineage.pins, None, {})


def test_a_method_outside_the_package_is_another_one_when_its_file_changes(tmp_path: Path) -> None:
    path, keys = tmp_path / "own.py", []
    for text in ("", "# changed"):
        path.write_text(f"from tests.methods.small_methods import Edited\n\n\nclass Own(Edited): ...\n{text}\n")
        keys.append(inputs_of(recipe(f"{path}:Own"), {}, None))
    assert keys[0] != keys[1] == inputs_of(recipe(f"{path}:Own"), {}, None)


@pytest.mark.parametrize(
    ("source", "args", "options"),
    [
        (ModelSource("a/vlm", kind="openai", endpoint=("http://h:1/v1",)), ("openai", "a/vlm"), {"endpoint"}),
        (ModelSource("clincot/phantom-policy", kind="transformers"), ("transformers",), {"threads", "images"}),
    ],
)
def test_another_model_is_the_critic(
    sealed: SealedRun, source: ModelSource, args: tuple[str, ...], options: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Any] = []
    monkeypatch.setattr(engines, "load", lambda *args, **options: loaded.append((args, options)) or object())
    asked = small_recipe(f"{SMALL}:Compared")
    asked = dataclasses.replace(asked, models=dataclasses.replace(asked.models, critic=source))
    pins = dict(sealed.build.lineage.pins)
    pins["critic"] = Pin("model", source.repo, "main", pins["policy"].sha)
    models = loading.load_models(dataclasses.replace(sealed.run, recipe=asked), pins, None, {})
    assert models.critic is not None and models.critic.engine is not models.policy
    key = served_key(source) if source.endpoint else pins["critic"].sha  # no pin names a model on a server
    assert (models.critic.name, models.critic.key) == (source.repo, key)
    assert loaded[1][0][: len(args)] == args and options <= loaded[1][1].keys()


def test_a_whole_run_without_regions_refuses_a_conditioning_on_crops_before_it_builds() -> None:
    with pytest.raises(RecipeError, match="'winner' is for pairs .* has no regions. Set train.conditioning=per_side"):
        check_conditioning(recipe(f"{SMALL}:Edited"))
    check_conditioning(recipe(f"{SMALL}:Edited", "train.conditioning=per_side"))
    check_conditioning(recipe("clincot"))
