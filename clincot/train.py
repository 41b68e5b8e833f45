"""Preference rows, a base model and the adapter of round r-1 -> the LoRA adapter of round r (Eq. 7)."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback

from clincot.choices import choose
from clincot.lineage import content_key
from clincot.objectives import OBJECTIVES
from clincot.objectives._arguments import dpo_config, dtype_of, lora_config
from clincot.objectives._policy import load_policy, open_processor, save_adapter
from clincot.objectives._quiet import quiet
from clincot.objectives._rows import check_budget, load_rows, stored_rows
from clincot.objectives.collator import PairCollator
from clincot.objectives.known_answer import FirstStep, check_first_step
from clincot.objectives.sides import Renderer
from clincot.progress import bar
from clincot.recipe import Recipe


@dataclass(frozen=True)
class TrainJob:
    """What a round is trained from: `base` is a snapshot folder of `base_repo`, `parent` the adapter of round r-1.

    `folder` is the work folder: a job that was killed continues there from its last complete save. `stored_reference`
    reads the reference log-probabilities from the rows that have them. They hold only where each text is scored with
    its own images, so under other conditionings they are computed.
    """

    recipe: Recipe
    round: int
    rows: tuple[Path, ...]
    base: Path
    base_repo: str
    parent: Path | None
    folder: Path
    stored_reference: bool


@dataclass(frozen=True)
class TrainOutcome:
    """`adapter` holds adapter_config.json and adapter_model.safetensors alone, `history` the trainer's logs."""

    adapter: Path
    facts: dict[str, Any]
    history: tuple[dict[str, Any], ...]


def train_adapter(job: TrainJob) -> TrainOutcome:
    """Train one round. Same rows, recipe and parent on a CPU give the same weights, killed and continued or not.

    Raises DataError for rows that cannot be trained on, ModelError for a base or parent that does not fit or a first
    step that is not the known answer, RecipeError for settings that TRL or PEFT refuse.
    """
    started = time.monotonic()
    torch.set_num_threads(job.recipe.train.threads)
    _start_folder(job)
    with quiet(), ExitStack() as stack:
        rows, collator, longest = _open_rows(job)
        trainer = _trainer(job, rows, collator)
        first = check_first_step(trainer, rows, dtype_of(job.recipe))
        trainer.add_callback(_Progress(f"train round {job.round}", stack))
        trainer.train(resume_from_checkpoint=_last_save(job.folder / "trainer"))
        adapter = _save(job, trainer)
    history = tuple(trainer.state.log_history)
    facts = _facts(job, trainer, first) | {"longest_tokens": longest, "seconds": round(time.monotonic() - started, 1)}
    return TrainOutcome(adapter, facts, history)


def _save(job: TrainJob, trainer: Any) -> Path:
    adapter = job.folder / "adapter"
    trainer.accelerator.wait_for_everyone()  # another process may still read the rows
    if trainer.is_world_process_zero():
        save_adapter(trainer.accelerator.unwrap_model(trainer.model), job.base_repo, adapter)
        shutil.rmtree(job.folder / "rows", ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    return adapter


def _open_rows(job: TrainJob) -> tuple[Dataset, PairCollator, int]:
    train = job.recipe.train
    stored = _stored(job)
    rows = load_rows(job.rows, job.folder / "rows", scores=train.margin.kind != "none", reference=stored)
    processor, ends, budget = open_processor(job.base)
    collator = PairCollator(Renderer(processor, train.conditioning, ends), train.margin, stored, budget)
    return rows, collator, check_budget(rows, collator)


def _stored(job: TrainJob) -> bool:
    return job.stored_reference and job.recipe.train.conditioning == "per_side"


def _trainer(job: TrainJob, rows: Dataset, collator: PairCollator) -> Any:
    objective = choose(OBJECTIVES, job.recipe.train.objective, "train.objective")
    arguments = dpo_config(job.recipe, job.folder / "trainer")
    model, lora = load_policy(job.base, job.parent, lora_config(job.recipe), dtype_of(job.recipe))
    trainer = objective(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=collator,
        processing_class=collator.renderer.processor,
        peft_config=lora,
        nll_weight=job.recipe.train.nll_weight,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


class _Progress(TrainerCallback):
    def __init__(self, description: str, stack: ExitStack) -> None:
        self.description, self.stack = description, stack
        self.advance: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            self.advance = self.stack.enter_context(bar(self.description, state.max_steps, "steps"))
            self.advance(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.advance:
            self.advance(1)


def _start_folder(job: TrainJob) -> None:
    """Keep the saves of the same job; saves of another recipe, rows or parent must never be continued."""
    key = content_key(
        asdict(job.recipe.train), job.recipe.seed, job.round, job.base_repo, job.base.name, *_digests(job)
    )
    note = job.folder / "job.txt"
    if not note.is_file() or note.read_text(encoding="utf-8") != key:
        shutil.rmtree(job.folder / "trainer", ignore_errors=True)
        job.folder.mkdir(parents=True, exist_ok=True)
        note.write_text(key, encoding="utf-8")


def _digests(job: TrainJob) -> list[str]:
    weights = [] if job.parent is None else [job.parent / "adapter_model.safetensors"]
    digests = []
    for path in [*job.rows, *weights]:
        if path.is_file():  # what is missing is named by the checks that follow
            with path.open("rb") as stream:
                digests.append(file_digest(stream, "sha256").hexdigest())
    return digests


def _last_save(folder: Path) -> str | None:
    """Return the newest complete save: the trainer writes trainer_state.json last."""
    for path in sorted(folder.glob("checkpoint-*"), key=lambda p: -int(p.name.split("-")[1])):
        try:
            json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(path)  # killed while it was written
            continue
        return str(path)
    return None


def _facts(job: TrainJob, trainer: Any, first: FirstStep) -> dict[str, Any]:
    train = job.recipe.train
    logs = [entry for entry in trainer.state.log_history if "loss" in entry]
    last = logs[-max(1, len(logs) // 10) :]
    return {
        "pairs": len(trainer.train_dataset),
        "steps": trainer.state.global_step,
        "first_loss": first.loss,
        "known_first_loss": first.known,
        "first_gap": first.gap,
        "final_loss": sum(entry["loss"] for entry in last) / len(last),
        "reward_accuracy": logs[-1]["rewards/accuracies"],
        "trainable_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        "lora": dict(train.lora),
        "conditioning": train.conditioning,
        "margin": asdict(train.margin),
        "stored_references": stored_rows(trainer.train_dataset) if _stored(job) else 0,
        "dtype": str(dtype_of(job.recipe)).removeprefix("torch."),
        "device": str(trainer.accelerator.device),
    }
