"""Gold answers of a benchmark and a base model -> the LoRA adapter `sft` that round 1 may start from ("+SFT")."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, Image, List
from transformers import PrinterCallback

from clincot.errors import DataError
from clincot.objectives.collator import PairCollator
from clincot.objectives.features import with_pixel_cache
from clincot.objectives.live import Live, OneLog
from clincot.objectives.sft import GoldCollator, GoldTrainer
from clincot.objectives.sides import Renderer
from clincot.recipe import Margin, Recipe
from clincot.recipe.load import key_of
from clincot.recipe.training import check_training
from clincot.records.lineage import content_key
from clincot.stages.train.arguments import dtype_of, sft_config
from clincot.stages.train.distributed import keep_adapter, processes, start_folder, train_on
from clincot.stages.train.job import TrainOutcome
from clincot.stages.train.policy import load_policy, open_processor, prompt_facts
from clincot.stages.train.projector import projector_facts, train_projector
from clincot.stages.train.qlora import facts_of, keep_float32
from clincot.stages.train.quiet import quiet
from clincot.stages.train.rehearsal import check_batches
from clincot.stages.train.saves import saving
from clincot.stages.train.sharding import check_launch
from clincot.stages.train.skeleton import fitted_lora, rounding_facts, say_rounded

PROBES = 4


@dataclass(frozen=True)
class SftJob:
    """What the stage trains from: `rows` is a parquet file of `gold_row`, `base` a snapshot folder of `base_repo`.

    `folder` is the work folder: a job that was killed continues there from its last complete save.
    """

    recipe: Recipe
    rows: Path
    base: Path
    base_repo: str
    folder: Path


def train_sft(job: SftJob) -> TrainOutcome:
    """Train the adapter. Same rows and recipe on a CPU give the same weights, killed and continued or not.

    Raises DataError for rows over the model's budget, ModelError for a base that does not fit or a loss that is no
    number, RecipeError for settings that TRL or PEFT refuse, DiskFull when a save finds no room.
    """
    check_training(job.recipe.train)
    check_launch(os.environ)
    started, world = time.monotonic(), processes()
    torch.set_num_threads(job.recipe.train.threads)
    with quiet(), ExitStack() as stack:
        with world.main_process_first(), saving(job.folder):
            start_folder(job.folder, _key(job, world.num_processes))
            rows = _read(job)
        if world.is_main_process:
            say_rounded(job.recipe, job.base)
        collator = _collator(job)
        longest = _check_budget(rows, collator)
        trainer = _trainer(job, rows, collator)
        trainer.add_callback(Live("train sft", stack, trainer, "answers"))
        with saving(job.folder):
            train_on(trainer, job.folder)
            adapter = keep_adapter(trainer, job.base_repo, job.folder)
    facts = _facts(job, trainer, len(rows))
    facts |= {"longest_tokens": longest, "seconds": round(time.monotonic() - started, 1)}
    return TrainOutcome(adapter, facts, tuple(trainer.state.log_history))


def _key(job: SftJob, size: int) -> str:
    with job.rows.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    train, loaded = asdict(job.recipe.train), (*key_of(job.recipe.models.policy.load), *job.recipe.fit_key)
    return content_key("sft", train, job.recipe.seed, job.base_repo, job.base.name, digest, size, *loaded)


def _read(job: SftJob) -> Dataset:
    rows: Any = Dataset.from_parquet(str(job.rows), cache_dir=str(job.folder / "rows"))
    if not len(rows):
        raise DataError(f"{job.rows.name}: no gold answers. Name a benchmark that has a train split.")
    # `datasets` would decode 16-bit and palette images otherwise than the build does.
    return rows.cast_column("images", List(Image(decode=False)))


def _collator(job: SftJob) -> GoldCollator:
    processor, ends, budget = open_processor(job.base, job.recipe.image_fit)
    renderer = Renderer(with_pixel_cache(processor), "global", ends, job.recipe.image_layout)
    return GoldCollator(PairCollator(renderer, Margin("none"), budget=budget))


def _check_budget(rows: Dataset, collator: GoldCollator) -> int:
    """Count the tokens of the rows likeliest to be the longest, before any weights are loaded."""
    lengths = [len(str(r["prompt"])) + len(r["answer"]) for r in rows.select_columns(["prompt", "answer"])]
    longest = sorted(range(len(rows)), key=lambda i: -lengths[i])[:PROBES]
    return max(int(collator([rows[i]])["attention_mask"].sum()) for i in longest)


def _trainer(job: SftJob, rows: Dataset, collator: GoldCollator) -> Any:
    arguments = sft_config(job.recipe, job.folder / "trainer")  # a mistake there is said before weights load
    check_batches(arguments, len(rows), "train.sft")
    lora, load = fitted_lora(job.recipe, job.base, None), job.recipe.models.policy.load
    model, lora = load_policy(job.base, None, lora, dtype_of(job.recipe), load)
    trainer = GoldTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=collator,
        processing_class=open_processor(job.base, job.recipe.image_fit)[0],
        peft_config=lora,
    )
    keep_float32(trainer.model, None)
    train_projector(trainer, job.recipe.train.projector_lr, None)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(OneLog())
    return trainer


def _facts(job: SftJob, trainer: Any, count: int) -> dict[str, Any]:
    logs = [entry for entry in trainer.state.log_history if "loss" in entry]
    last = logs[-max(1, len(logs) // 10) :]
    return {
        "objective": "sft",
        "examples": count,
        "steps": trainer.state.global_step,
        "first_loss": logs[0]["loss"],
        "final_loss": sum(entry["loss"] for entry in last) / len(last),
        "token_accuracy": logs[-1]["mean_token_accuracy"],
        "trainable_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        "lora": dict(job.recipe.train.lora),
        **projector_facts(trainer),
        "sft": dict(job.recipe.train.sft),
        **prompt_facts(job.recipe, job.base),
        **rounding_facts(job.recipe, job.base),
        "dtype": str(dtype_of(job.recipe)).removeprefix("torch."),
        **facts_of(job.base, job.recipe.models.policy.load),
        "device": str(trainer.accelerator.device),
        "processes": trainer.args.world_size,
    }
