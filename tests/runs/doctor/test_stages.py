"""What stages need by part: sums and turns, places, what changes a number, and what would make a stage fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import paper_configs
import pytest

from clincot.recipe import Recipe, load_recipe
from clincot.runs.doctor.advice import advised
from clincot.runs.doctor.examine import report_of
from clincot.runs.doctor.machine import GIB, Gpu, Machine
from clincot.runs.doctor.models import models_of
from clincot.runs.doctor.needs import Need, Part
from clincot.runs.doctor.reach import Reach
from clincot.runs.doctor.stages import Plan
from clincot.runs.run import target_of

CPU = Machine((), 8, 64 * GIB, 64 * GIB)


def machine(*gibs: float) -> Machine:
    return replace(CPU, gpus=tuple(Gpu("card", int(gib * GIB), int(gib * GIB)) for gib in gibs))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return paper_configs.paper_configs(tmp_path_factory.mktemp("paper"))


@pytest.fixture(scope="module")
def plan(folders: dict[str, Path]):
    def make(where: Machine, *overrides: str, recipe: str = "clincot") -> Plan:
        made: Recipe = load_recipe(recipe, "paper", overrides=[*paper_configs.overrides(folders), *overrides])
        return Plan(made, models_of(made, Reach(target_of(made, None))), where)

    return make


def named(need: Need, name: str, place: str = "gpu 0") -> int:
    (found,) = [part.bytes for part in need.parts if part.name.startswith(name) and part.place == place]
    return found


def test_parts_add_up_and_of_turns_the_largest_counts() -> None:
    parts = (Part("a", 5, "cpu"), Part("b", 7, "cpu", "x"), Part("c", 6, "cpu", "x"), Part("d", 12, "cpu", "y"))
    need = Need("build-data", (*parts, Part("e", 3, "gpu 0")))
    assert (need.at("cpu"), need.at("gpu 0"), need.places) == (18, 3, ("gpu 0", "cpu"))
    assert need.fits(Machine((Gpu("g", 4, 4),), 1, 100, 22))
    assert not need.fits(Machine((Gpu("g", 4, 4),), 1, 100, 21))  # 18 of 21 is more than 85 %
    assert not need.fits(Machine((), 1, 100, 100))


def test_weights_of_the_papers_models_are_those_of_their_published_sizes(plan) -> None:
    build = plan(machine(80)).build()
    for name, billions in (("policy: weights", 7.566), ("judge-1: weights", 8.030), ("judge-2: weights", 7.242)):
        assert named(build, name) == pytest.approx(2e9 * billions, rel=1e-3)
    nf4 = plan(machine(80), "models.policy.load.quantization=nf4").build()
    assert named(nf4, "policy: weights, nf4") == pytest.approx(6.979e9 * 0.516 + 2 * 0.586e9, rel=0.01)


def test_the_adapter_of_rank_128_and_its_optimizer(plan) -> None:
    train = plan(machine(80)).train()
    assert named(train, "adapter of rank 128") == 335_544_320 * 18
    assert named(train, "reference") == 335_544_320 * 4
    one = plan(machine(80), "rounds=1").train()
    assert not [part for part in one.parts if part.name.startswith("reference")]
    projector = 1024 * 4096 + 4096 + 4096 * 4096 + 4096
    more = plan(machine(80), "train.projector_lr=2e-5").train()
    assert named(more, "adapter of rank 128") == (335_544_320 + projector) * 18


def test_activations_are_recomputed_where_they_do_not_fit_or_as_the_recipe_says(plan) -> None:
    def said(need: Need) -> bool:
        return any("recomputed" in part.name for part in need.parts)

    assert said(plan(machine(24)).train()) and not said(plan(machine(141)).train())
    assert said(plan(machine(141), "train.dpo.gradient_checkpointing=true").train())
    assert not said(plan(machine(24), "train.dpo.gradient_checkpointing=false").train())
    assert not said(plan(CPU).train())


def test_layouts_and_conditioning_change_the_tokens_of_a_step(plan) -> None:
    def tokens(*overrides: str) -> int:
        (name,) = [part.name for part in plan(machine(80), *overrides).train().parts if "a step of" in part.name]
        return int(name.split()[3].replace(",", ""))

    prompt, text = 35 + 2 * 576 + 60 + 256, 256
    assert tokens() == 4 * (prompt + 2 * text)  # the winner's crop on both sides, so one prompt
    assert tokens("train.batch_layout=pair") == 8 * (prompt + text)
    side = 576 + 60 + 256 + text
    assert tokens("train.conditioning=per_side") == 4 * (35 + 576 + 2 * side)
    assert tokens("train.conditioning=global") == 4 * (prompt - 576 + 2 * text)
    assert tokens("image_layout=canvas") == 4 * (prompt - 576 + 2 * text)
    assert tokens("train.batch_layout=group", "train.conditioning=per_side") == 4 * (35 + 576 + 4 * side)


def test_a_model_lies_where_its_load_says(plan) -> None:
    two = machine(80, 80)
    spread = plan(two, "models.policy.load.device_map=auto").build()
    assert named(spread, "policy: weights") == named(spread, "policy: weights", "gpu 1") > 7e9
    second = plan(two, "models.policy.load.device_map=cuda:1").build()
    assert named(second, "policy: weights", "gpu 1") > 15e9
    assert not plan(machine(80), "models.policy.load.device_map=cuda:1").build().fits(machine(80))
    on_cpu = plan(two, "models.policy.load.device_map=cpu").build()
    assert named(on_cpu, "policy: weights", "cpu") > 15e9


def test_models_that_take_turns_need_the_largest_and_wait_in_cpu_memory(plan) -> None:
    both, turns = plan(machine(80)), plan(machine(80), "models.resident=one", "models.shards_together=3")
    resident, one = both.build(), turns.build()
    weights = [named(resident, f"{role}: weights") for role in ("policy", "judge-1", "judge-2")]
    assert one.at("gpu 0") < resident.at("gpu 0") - sum(weights) + max(weights)
    assert named(one, "judge-1: weights that wait", "cpu") == weights[1]
    kept = named(resident, "policy: prompts kept")
    assert named(one, "policy: prompts that wait", "cpu") == 3 * kept
    # A stage with one model has no turns.
    assert turns.evaluate().at("gpu 0") == both.evaluate().at("gpu 0")


def test_a_served_policy_takes_memory_in_training_alone(plan) -> None:
    served = plan(machine(80), "models.policy.kind=openai", "models.policy.endpoint=http://localhost:8000/v1")
    assert not [part for part in served.build().parts if part.name.startswith("policy")]
    assert named(served.train(), "policy: weights") > 15e9


def test_what_a_gpu_of_24_gib_lacks_is_said_with_what_would_help(plan) -> None:
    small = plan(machine(24))
    train = advised(small, small.train())
    assert not train.fits(small.machine) and train.advice == "--set models.policy.load.quantization=nf4"
    done = plan(machine(24), "models.policy.load.quantization=nf4")
    assert done.train().fits(done.machine)
    assert advised(done, done.train()).advice == ""


def test_what_is_not_known_is_said_and_the_rest_goes_on(folders: dict[str, Path], tmp_path: Path) -> None:
    recipe = load_recipe("clincot", "paper", overrides=paper_configs.overrides(folders))
    lacking = replace(recipe, models=replace(recipe.models, policy=replace(recipe.models.policy, repo="me/absent")))
    plan = Plan(lacking, models_of(lacking, Reach(f"local:{tmp_path / 'nowhere'}")), machine(80))
    build, train, evaluate = plan.needs()
    assert "policy: local:" in build.unknown[0] and "no such folder" in build.unknown[0]
    assert named(build, "judge-1: weights") > 16e9 and train.parts == () and train.unknown
    assert evaluate.unknown and not (tmp_path / "nowhere").exists()
    assert evaluate.fits(plan.machine) and not evaluate.estimated and not build.estimated
    report = report_of(plan)
    assert [stage["fits"] for stage in report.values()["stages"]] == [None, None, None] and report.fits
    assert "  not known whether it fits" in list(report.lines())
