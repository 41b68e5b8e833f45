"""A recipe's `train` and the policy's sizes -> the memory of a training step, by part."""

from __future__ import annotations

from dataclasses import replace

from clincot.lm.footprint import Footprint
from clincot.recipe import Recipe
from clincot.runs.doctor.machine import Machine
from clincot.runs.doctor.needs import SPARE, Part
from clincot.runs.doctor.texts import Texts
from clincot.stages.train.memory import FROZEN, RANK, Batch, Step, activations, adapter_bytes, step_bytes

BATCH = 8  # TRL's, where a recipe names none


def training_parts(
    recipe: Recipe, model: Footprint, adapter: int, texts: Texts, place: str, machine: Machine
) -> list[Part]:
    """Return the parts of a step; activations are recomputed where the recipe or the lack of room asks for it."""
    train, gpu = recipe.train, place != "cpu"
    batch = batch_of(recipe, texts, texts.image or model.image_tokens or 576, max(1, len(machine.gpus)))
    step = Step(
        adapter=adapter,
        rank=int(train.lora.get("r", RANK)),
        autocast=gpu and model.size == 2,
        reference=recipe.rounds > 1 or train.start == "sft" or train.reference == "initial",
    )
    asked = train.dpo.get("gradient_checkpointing")
    if asked is None:
        asked = gpu and step_bytes(model, batch, step) > SPARE * machine.room(place)
    step = replace(step, recomputed=bool(asked))
    how = model.quantization if model.quantization != "none" else ("float32" if model.size == 4 else "16 bits")
    kept = "layers' inputs kept, the rest recomputed" if step.recomputed else "activations kept"
    parts = {
        f"policy: weights, {how}": model.weights,
        f"adapter of rank {step.rank}, its gradients and optimizer": adapter_bytes(replace(step, reference=False)),
        "reference: a frozen adapter": adapter * FROZEN if step.reference else 0,
        f"a step of {batch.tokens:,} tokens: {kept}": activations(model, batch, step),
        "features of images kept": int(train.feature_cache_gb * 2**30),
    }
    return [Part(name, amount, place) for name, amount in parts.items() if amount]


def batch_of(recipe: Recipe, texts: Texts, image: int, processes: int) -> Batch:
    """Return the largest batch of a round in the recipe's layout: `image` tokens an image, texts at their limit."""
    train, size = recipe.train, int(recipe.train.dpo.get("per_device_train_batch_size", BATCH))
    if train.batch == "global":
        size = max(1, size // processes)
    crop = 0 if texts.canvas or train.conditioning == "global" else image
    shared = texts.template + image
    asked = texts.question + (texts.steps - 1) * texts.response
    if train.batch_layout == "pair":
        length, rows, sides = shared + crop + asked + texts.response, 2 * size, 1
    else:
        sides = 2
        if train.batch_layout == "group":
            sides = min(texts.regions, 2 * int(getattr(recipe.method.config, "pairs_per_step", 1)))
        own = crop if train.conditioning == "per_side" else 0
        length = shared + (crop - own) + sides * (own + texts.response)
        length += asked * (sides if own else 1)
        rows = size
    images = rows * (1 + (0 if not crop else sides if train.conditioning == "per_side" else 1))
    return Batch(rows * length, rows, rows * sides * texts.response, images)
