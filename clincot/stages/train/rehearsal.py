"""The trainer's arguments on this machine -> nothing, or a RecipeError for what would fail once a model has loaded."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from transformers import Trainer, get_scheduler

from clincot.errors import RecipeError

STEPS = 100  # of a schedule that is drawn and thrown away
PACKAGES = {"deepspeed": "deepspeed", "use_liger_kernel": "liger_kernel"}
ON_A_GPU = ("fp16", "activation_offloading", "use_liger_kernel")


def check_packages(given: dict[str, Any], where: str) -> None:
    """Raise RecipeError for a setting whose package or device is not here; builds nothing."""
    for name, package in PACKAGES.items():
        if given.get(name) and find_spec(package) is None:
            raise RecipeError(
                f"{where}.{name}: needs the package {package}, which is not installed."
                f" Run `pip install {package.replace('_', '-')}`, or remove {name}."
            )
    for name in ON_A_GPU:
        if given.get(name) and not torch.cuda.is_available():
            raise RecipeError(f"{where}.{name}: needs a GPU, and this machine has no GPU. Remove it.")


def rehearse(arguments: Any, where: str) -> None:
    """Raise RecipeError unless the optimiser and its schedule can be made, which is tried on a single weight."""
    weight = torch.nn.Parameter(torch.zeros(2, 2))
    try:
        cls, options = Trainer.get_optimizer_cls_and_kwargs(arguments)
        optimiser = cls([weight], **options)
    except (ValueError, TypeError, ImportError, RuntimeError, AttributeError) as error:
        raise RecipeError(
            f"{where}.optim: {arguments.optim.value} cannot be made ({error}). Install its package, or use adamw_torch."
        ) from error
    try:
        get_scheduler(
            arguments.lr_scheduler_type,
            optimiser,
            num_warmup_steps=arguments.get_warmup_steps(STEPS),
            num_training_steps=STEPS,
            scheduler_specific_kwargs=dict(arguments.lr_scheduler_kwargs or {}),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise RecipeError(
            f"{where}.lr_scheduler_type: {arguments.lr_scheduler_type.value} cannot be made ({error})."
            " Change lr_scheduler_kwargs."
        ) from error


def check_batches(arguments: Any, elements: int, where: str) -> None:
    """Raise RecipeError when every batch would be dropped for being incomplete."""
    batch = arguments.per_device_train_batch_size * arguments.world_size
    if arguments.dataloader_drop_last and elements < batch:
        raise RecipeError(
            f"{where}.dataloader_drop_last: a batch takes {batch} and there are {elements}, so no step would be made."
            " Remove it, or lower per_device_train_batch_size."
        )


def of_each_process(size: int, count: int, where: str) -> int:
    """Return the part of a global batch of `size` that each of `count` processes takes. Raises RecipeError."""
    if size % count:
        raise RecipeError(
            f"{where}.per_device_train_batch_size: {size} of train.batch=global cannot be divided among {count}"
            " processes. Give a multiple, or use train.batch=per_process."
        )
    return size // count
