"""A folder of sized models -> one build or one training run over a few drawn images, and the lengths of its texts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from clincot import engines, judges, regions
from clincot.chain.prompts import SHOW_FINDING, finding_messages, judge_messages
from clincot.recipe import Recipe, load_recipe
from clincot.records import Example
from clincot.rows.schema import PAIR_FEATURES, table, write_parquet
from clincot.runs.doctor.texts import Texts
from clincot.stages.sample.build import build
from clincot.stages.sample.builder import BuildJob
from clincot.stages.sample.serving import Models
from clincot.stages.train.dpo import TrainJob, train_adapter
from perf.sized_models import PATCH, PIXELS

IMAGES, QUESTIONS, BATCH, RESPONSE = 2, 2, 8, 12
QUESTION = "Is there a nodule in the left lung, and where exactly does it lie?"
REFERENCE = "Yes, there is one in the left lung."
CHOSEN = "There is a nodule in the upper third of the left lung."
REJECTED = "There is no nodule in the left lung, which is clear now."
OVERRIDES = {
    "models.proposer.kind": "grid",
    "models.proposer.repo": "",
    "method.candidates": 3,
    "method.min_gap": 0,
    "build.shard_images": IMAGES,
    "build.max_questions": QUESTIONS,
    "build.batch_size": BATCH,
    "build.max_new_tokens": RESPONSE,
    "build.report_tokens": RESPONSE,
    "build.judging.batch_size": BATCH,
    "build.judging.failure_limit": 1,
    "train.nll_weight": 0,
    "train.dpo.max_steps": 2,
    "train.dpo.per_device_train_batch_size": 2,
    "rounds": 1,
}


def recipe_of(folder: Path, **more: object) -> Recipe:
    """Return the recipe that runs the models in `folder`."""
    names = ", ".join(f"{{repo: {folder / name}}}" for name in ("judge-1", "judge-2"))
    given = OVERRIDES | {"models.policy.repo": folder / "policy", "models.judges": f"[{names}]"} | more
    return load_recipe(overrides=[f"{name}={value}" for name, value in given.items()])


def run_build(folder: Path, work: Path) -> None:
    """Build the round of four questions in `work`."""
    recipe = recipe_of(folder)
    own = {"batch_size": BATCH, "threads": 1, "scoring": "expected"}

    def models() -> Models:
        rated = tuple(judges.load("", folder / name, name=name, key=name, **own) for name in ("judge-1", "judge-2"))
        policy = engines.load("", folder / "policy", None, batch_size=BATCH, threads=1, images=2)
        return Models(policy=policy, proposer=regions.load("grid"), judges=rated)

    examples = tuple(
        Example(f"q{i}-{j}", f"i{i}", _png(i), f"{j}: {QUESTION}", "Yes", "closed", "presence", "phantom", REFERENCE)
        for i in range(IMAGES)
        for j in range(QUESTIONS)
    )
    build(BuildJob(recipe, 1, examples, "key", work, models))


def run_train(folder: Path, work: Path) -> None:
    """Make two steps over four pairs in `work`."""
    work.mkdir(parents=True, exist_ok=True)
    rows = work / "rows.parquet"
    write_parquet([table([_row(i) for i in range(4)], PAIR_FEATURES)], rows, PAIR_FEATURES)
    base = folder / "policy"
    train_adapter(TrainJob(recipe_of(folder), 1, (rows,), base, str(base), None, work / "train", False))


def texts_of(stage: str, tokenizer: Any) -> Texts:
    """Return the lengths of what a stage reads, counted by the models' tokenizer."""

    def count(messages: Any) -> int:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    def words(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    asked = count(finding_messages(f"0: {QUESTION}", ())) - 2  # without its image tokens
    response = RESPONSE if stage == "build" else words(REJECTED) + 1
    return Texts(
        response=response,
        steps=2 if stage == "build" else 1,
        regions=3,
        ahead=2,
        template=3,
        question=asked - 3,
        instruction=words(SHOW_FINDING),
        rubric=count(judge_messages("", "", (), "")),
        reference=words(f"0: {QUESTION}") + words(REFERENCE),
        questions=QUESTIONS,
        image=(PIXELS // PATCH) ** 2,
    )


def _row(index: int) -> dict[str, Any]:
    region = {"hypothesis": "nodule", "box": [0, 0, 36, 40], "confidence": 0.5}
    row: dict[str, Any] = {name: None for name in PAIR_FEATURES}
    images = [{"bytes": _png(3 * index + place), "path": f"{place}.png"} for place in range(3)]
    return row | {
        "id": f"row-{index}",
        "example_id": f"example-{index}",
        "round": 1,
        "step": 1,
        "method": "clincot",
        "prompt": finding_messages(f"{index}: {QUESTION}", ()),
        "images": images[:1],
        "side_images": images[1:],
        "chosen": CHOSEN,
        "rejected": REJECTED,
        "chosen_score": 0.8,
        "rejected_score": 0.3,
        "weight": 1.0,
        "group": f"example-{index}/1",
        "chosen_region": region,
        "rejected_region": region,
    }


def _png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (160, 160), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
