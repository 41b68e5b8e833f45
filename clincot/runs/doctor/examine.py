"""A recipe, a target Hub and perhaps another machine -> the report of `clincot doctor`."""

from __future__ import annotations

from dataclasses import replace

from clincot.recipe import Recipe
from clincot.runs.doctor.advice import advised
from clincot.runs.doctor.around import around
from clincot.runs.doctor.machine import Machine, described, driver, here
from clincot.runs.doctor.models import models_of
from clincot.runs.doctor.packages import packages
from clincot.runs.doctor.reach import Reach
from clincot.runs.doctor.report import Report
from clincot.runs.doctor.stages import Plan
from clincot.runs.run import target_of


def examine(recipe: Recipe, hub: str | None, *, gpu_memory: float = 0, gpus: int = 1, namespace: str = "") -> Report:
    """Look at packages, machine and what is around it, and estimate the stages of `recipe`.

    `gpu_memory` asks about `gpus` GPUs of so many GiB instead of those that are here.
    """
    machine = here()
    if gpu_memory:
        machine = described(gpu_memory, gpus, machine)
    reach = Reach(target_of(recipe, hub))
    try:
        report = report_of(Plan(recipe, models_of(recipe, reach), machine))
        return replace(report, around=around(recipe, reach, namespace))
    finally:
        reach.close()


def report_of(plan: Plan) -> Report:
    """Return the report of a plan."""
    needs = tuple(advised(plan, need) for need in plan.needs())
    recipe = plan.recipe
    title = f"recipe {recipe.name} in setting {recipe.setting}"
    return Report(tuple(packages()), plan.machine, _torch_build(), driver(), title, needs)


def _torch_build() -> str:
    import torch

    gpu = torch.version.cuda or torch.version.hip
    return f"{torch.__version__}, built for {f'CUDA {gpu}' if gpu else 'CPUs'}, {torch.get_num_threads()} threads"


__all__ = ["Machine", "examine", "report_of"]
