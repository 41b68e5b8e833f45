"""Preference rows, a base model and the adapter of round r-1 -> the LoRA adapter of round r (Eq. 7)."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback
from trl import DPOConfig

from clincot.objectives import OBJECTIVES
from clincot.objectives.collator import PairCollator
from clincot.objectives.features import feature_cache, with_pixel_cache
from clincot.objectives.guard import Guard
from clincot.objectives.layout import Layout, settle_layout
from clincot.objectives.live import Live, OneLog
from clincot.objectives.packing import RowsCollator, groups
from clincot.objectives.sides import Renderer
from clincot.recipe.choices import choose
from clincot.recipe.rounds import of_round
from clincot.recipe.training import check_scale, check_training
from clincot.stages.train.arguments import dpo_config, dtype_of
from clincot.stages.train.conditioning import check_conditioning, shows_crops
from clincot.stages.train.distributed import keep_adapter, processes, start_folder, train_on
from clincot.stages.train.initial import use_initial
from clincot.stages.train.job import TrainJob, TrainOutcome, is_moved, job_key, reference_key
from clincot.stages.train.known_answer import (
    FirstStep,
    check_first_step,
    check_moved,
    check_reference,
    check_token_counts,
)
from clincot.stages.train.memory import RANK, needs_checkpointing
from clincot.stages.train.objective import objective_facts
from clincot.stages.train.odd_rows import keep_rows
from clincot.stages.train.policy import built_dtype, load_policy, open_processor, prompt_facts
from clincot.stages.train.projector import projector_facts, train_projector
from clincot.stages.train.qlora import facts_of, keep_float32, quantization_of
from clincot.stages.train.quiet import quiet
from clincot.stages.train.reference import Values, drop_likelier, keep_reference
from clincot.stages.train.rehearsal import check_batches
from clincot.stages.train.rows import batch_tokens, check_budget, check_placeholders, load_rows, stored_rows
from clincot.stages.train.saves import saving
from clincot.stages.train.sharding import check_launch
from clincot.stages.train.shuffled import shuffled
from clincot.stages.train.skeleton import fitted_lora, rounding_facts, say_rounded

__all__ = ["TrainJob", "TrainOutcome", "train_adapter"]


def train_adapter(job: TrainJob) -> TrainOutcome:
    """Train one round. Same rows, recipe and parent on a CPU give the same weights, killed and continued or not.

    Raises DataError for rows that cannot be trained on, ModelError for a base or parent that does not fit or a first
    step that is not the known answer, RecipeError for settings that TRL or PEFT refuse, DiskFull when a save finds no
    room.
    """
    job = replace(job, recipe=replace(job.recipe, train=of_round(job.recipe.train, job.round)))
    check_training(job.recipe.train)
    check_launch(os.environ, job.recipe.train.feature_cache_gb)
    check_scale(job.recipe.method, job.recipe.train.margin)
    started, world = time.monotonic(), processes()
    torch.set_num_threads(job.recipe.train.threads)
    with world.main_process_first():
        start_folder(job.folder, job_key(job, world.num_processes))
    with quiet(), ExitStack() as stack:
        with world.main_process_first(), saving(job.folder):
            rows, dropped, collator, longest = _open_rows(job, say=world.is_main_process)
        trainer = _trainer(job, rows, collator)
        reference = check_reference(trainer.model, job.initial if is_moved(job) else job.parent)
        layout = settle_layout(trainer, dtype_of(job.recipe))
        first = (check_moved if is_moved(job) else check_first_step)(trainer, dtype_of(job.recipe))
        with saving(job.folder):
            kept = _keep_reference(job, trainer, rows)
        dropped, rows = drop_likelier(trainer, rows, kept, dropped, job.recipe.train.likelier_rejected)
        guard = Guard(job.recipe.train.guard_chosen)
        trainer.add_callback(guard)
        unit = "groups" if job.recipe.train.batch_layout == "group" else "pairs"
        trainer.add_callback(Live(f"train round {job.round}", stack, trainer, unit))
        with saving(job.folder):
            train_on(trainer, job.folder)
            adapter = keep_adapter(trainer, job.base_repo, job.folder)
    history = tuple(trainer.state.log_history)
    facts = _facts(job, trainer, rows) | _start(first, layout, reference)
    facts |= {"kept_references": 0 if kept is None else len(rows), **guard.facts}
    facts |= {"dropped_pairs": dropped, "longest_tokens": longest, "seconds": round(time.monotonic() - started, 1)}
    return TrainOutcome(adapter, facts, history)


def _open_rows(job: TrainJob, *, say: bool) -> tuple[Dataset, dict[str, int], PairCollator, int]:
    train = job.recipe.train
    processor, ends, budget = open_processor(job.base, job.recipe.image_fit)
    if say:
        say_rounded(job.recipe, job.base)
    stored = reads_reference(job)
    read = load_rows(job.rows, job.folder / "rows", scores=train.margin.kind != "none", reference=stored)
    if train.preferences == "shuffled":
        read = shuffled(read, job.recipe.seed)
    where = ", ".join(path.name for path in job.rows)
    rows, dropped = keep_rows(read, where, conditioning=train.conditioning, say=say)
    choose(OBJECTIVES, train.objective, "train.objective").check_rows(rows)
    renderer = Renderer(with_pixel_cache(processor), train.conditioning, ends, job.recipe.image_layout)
    check_conditioning(rows, train.conditioning)
    check_placeholders(rows, renderer)
    if stored:
        check_token_counts(rows, renderer)
    collator = PairCollator(renderer, train.margin, stored, budget)
    return rows, dropped, collator, check_budget(rows, collator)


def _keep_reference(job: TrainJob, trainer: Any, rows: Dataset) -> Values | None:
    """Compute the reference once; not of a quantised base, where a text's products depend on the rest of its batch."""
    drops = job.recipe.train.likelier_rejected == "drop"
    if not drops and quantization_of(job.base, job.recipe.models.policy.load):
        return None
    return keep_reference(trainer, rows, job.folder, reference_key(job, trainer, len(rows)), always=drops)


def reads_reference(job: TrainJob) -> bool:
    """Return whether stored reference log-probabilities hold for this training; else they are computed."""
    train = job.recipe.train
    if is_moved(job) or not job.stored_reference or train.conditioning != "per_side" or train.preferences == "shuffled":
        return False
    load = job.recipe.models.policy.load
    if quantization_of(job.base, load):  # their products are computed otherwise for one row than for many
        return False
    return built_dtype(job.base, load) == dtype_of(job.recipe)


def _trainer(job: TrainJob, rows: Dataset, collator: PairCollator) -> Any:
    train = job.recipe.train
    objective = choose(OBJECTIVES, train.objective, "train.objective")
    grouped = train.batch_layout == "group"
    dataset = groups(rows) if grouped else rows
    laid_out = RowsCollator(collator, train.batch_layout, rows if grouped else None)
    arguments = _arguments(job, dataset, laid_out)
    check_batches(arguments, len(dataset), "train.dpo")
    lora, load = fitted_lora(job.recipe, job.base, job.parent), job.recipe.models.policy.load
    model, lora = load_policy(job.base, job.parent, lora, dtype_of(job.recipe), load)
    trainer = objective(
        model=model,
        args=arguments,
        train_dataset=dataset,
        data_collator=laid_out,
        processing_class=open_processor(job.base, job.recipe.image_fit)[0],  # the collator's own keeps pixels
        peft_config=lora,
        **objective.options(train),
    )
    keep_float32(trainer.model, job.parent)
    train_projector(trainer, train.projector_lr, job.parent)
    if is_moved(job):
        use_initial(trainer.model, job.initial)
    trainer.features = feature_cache(trainer.model, train.feature_cache_gb, arguments.gradient_checkpointing)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(OneLog())
    return trainer


def _arguments(job: TrainJob, dataset: Dataset, collator: RowsCollator) -> DPOConfig:
    """TRL's arguments; activations are recomputed where the recipe asks for it, else where a GPU needs it."""
    arguments = dpo_config(job.recipe, job.folder / "trainer")
    if "gradient_checkpointing" in job.recipe.train.dpo or not torch.cuda.is_available():
        return arguments
    tokens = batch_tokens(dataset, collator, arguments.per_device_train_batch_size)
    free, rank = torch.cuda.mem_get_info()[0], int(job.recipe.train.lora.get("r", RANK))
    load = job.recipe.models.policy.load
    again = needs_checkpointing(job.base, tokens, dtype_of(job.recipe), free, rank, load)
    return dpo_config(job.recipe, job.folder / "trainer", again)


def _facts(job: TrainJob, trainer: Any, rows: Dataset) -> dict[str, Any]:
    train = job.recipe.train
    logs = [entry for entry in trainer.state.log_history if "loss" in entry]
    last = logs[-max(1, len(logs) // 10) :]
    return {
        "pairs": len(rows),
        "steps": trainer.state.global_step,
        "final_loss": sum(entry["loss"] for entry in last) / len(last),
        "reward_accuracy": logs[-1]["rewards/accuracies"],
        "trainable_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        "lora": dict(train.lora),
        **projector_facts(trainer),
        **({"conditioning": train.conditioning} if shows_crops(rows) else {}),
        **({"nll_weight": train.nll_weight} if train.nll_weight else {}),
        **({"preferences": train.preferences} if train.preferences != "judged" else {}),
        "reference": train.reference,
        "margin": asdict(train.margin),
        **objective_facts(train),
        "stored_references": stored_rows(rows) if reads_reference(job) else 0,
        **prompt_facts(job.recipe, job.base),
        **rounding_facts(job.recipe, job.base),
        "dtype": str(dtype_of(job.recipe)).removeprefix("torch."),
        **facts_of(job.base, job.recipe.models.policy.load),
        "device": str(trainer.accelerator.device),
        "processes": trainer.args.world_size,
        "gradient_checkpointing": trainer.args.gradient_checkpointing,
    }


def _start(first: FirstStep, layout: Layout, reference: str | None) -> dict[str, Any]:
    """What was checked before the first step, and how closely."""
    return {
        "first_loss": first.loss,
        "known_first_loss": first.known,
        "first_gap": first.gap,
        "first_gap_allowed": first.allowed,
        "reference_sha256": reference,
        "rows": layout.rows,
        "rows_gradient_error": layout.gradient_error,
    }
