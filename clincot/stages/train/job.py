"""What a round is trained from -> the keys of what may be used again: saves of the job, and its reference."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from clincot.recipe import Recipe
from clincot.recipe.load import key_of
from clincot.records.lineage import content_key
from clincot.stages.train.arguments import dtype_of


@dataclass(frozen=True)
class TrainJob:
    """What a round is trained from: `base` is a snapshot folder of `base_repo`, `parent` the adapter of round r-1.

    `folder` is the work folder: a job that was killed continues there from its last complete save. `stored_reference`
    reads the reference log-probabilities from the rows that have them. They hold where each text is scored with its own
    images, in the dtype of the base's weights, in which the build ran it; else they are computed. `initial` is the
    adapter that round 1 started from, the reference of `train.reference: initial`; None for the base.
    """

    recipe: Recipe
    round: int
    rows: tuple[Path, ...]
    base: Path
    base_repo: str
    parent: Path | None
    folder: Path
    stored_reference: bool
    initial: Path | None = None


@dataclass(frozen=True)
class TrainOutcome:
    """`adapter` holds adapter_config.json and adapter_model.safetensors alone, `history` the trainer's logs."""

    adapter: Path
    facts: dict[str, Any]
    history: tuple[dict[str, Any], ...]


def is_moved(job: TrainJob) -> bool:
    """Return whether the reference is another policy than the one that the round starts from."""
    return job.recipe.train.reference == "initial" and job.parent is not None and job.parent != job.initial


def job_key(job: TrainJob, size: int) -> str:
    """Return the key of what may go on from the same saves: recipe, rows, parent and number of processes."""
    return content_key(
        asdict(job.recipe.train), job.recipe.seed, job.round, *_base(job), *_digests(job), size, *_loaded(job)
    )


def reference_key(job: TrainJob, trainer: Any, pairs: int) -> str:
    """Return the key of what decides the reference's log-probabilities; `pairs` are those that are trained on."""
    train = job.recipe.train
    noise = [asdict(train.noise), job.recipe.seed] if "ref_inherent_logp" in trainer.REFERENCE else []
    exchanged = [job.recipe.seed] if train.preferences == "shuffled" else []
    shown = (train.conditioning, job.recipe.image_layout, str(dtype_of(job.recipe)), is_moved(job))
    return content_key(
        *trainer.REFERENCE, *noise, *exchanged, *shown, *_base(job), *_digests(job), pairs, *_loaded(job)
    )


def _base(job: TrainJob) -> tuple[str, str]:
    return job.base_repo, job.base.name


def _loaded(job: TrainJob) -> list[Any]:
    return [*key_of(job.recipe.models.policy.load), *job.recipe.fit_key]


def _digests(job: TrainJob) -> list[str]:
    adapters = [job.parent, job.initial]
    weights = [folder / "adapter_model.safetensors" for folder in adapters if folder is not None]
    digests = []
    for path in [*job.rows, *weights]:
        if path.is_file():  # what is missing is named by the checks that follow
            with path.open("rb") as stream:
                digests.append(file_digest(stream, "sha256").hexdigest())
    return digests
