"""A recipe, its models and a machine -> what building, training and evaluating need there, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from transformers import AutoConfig

from clincot.errors import ClincotError
from clincot.lm.footprint import Footprint, empty_model
from clincot.lm.projector import projector_modules
from clincot.recipe import Recipe
from clincot.recipe.load import SPREAD, Load
from clincot.runs.doctor.machine import Machine
from clincot.runs.doctor.models import Model
from clincot.runs.doctor.needs import Need, Part, spread
from clincot.runs.doctor.reading import KEPT, Reader, judge_parts, policy_parts
from clincot.runs.doctor.texts import Texts, of_build, of_evaluation
from clincot.runs.doctor.training import training_parts
from clincot.stages.train.memory import adapter_size

# Bytes of a process once the libraries of a stage are loaded (perf/memory.py), and of CUDA's own, which is assumed.
LIBRARIES = {"build-data": 0.55e9, "train": 0.6e9, "evaluate": 0.55e9}
CUDA = 0.6e9


@dataclass(frozen=True)
class Plan:
    """A recipe with the models that were found for it, on a machine."""

    recipe: Recipe
    models: Mapping[str, Model]
    machine: Machine

    def needs(self) -> tuple[Need, Need, Need]:
        """Return what each stage needs, without advice."""
        return self.build(), self.train(), self.evaluate()

    def build(self, texts: Texts | None = None) -> Need:
        """Return what `clincot build-data` needs."""
        texts, build = texts or of_build(self.recipe), self.recipe.build
        parts, unknown = self._libraries("build-data"), list[str]()
        for role, model in self.models.items():
            sizes = None if model.served else self._sizes(model, unknown)
            if sizes is None:
                parts += self._encoder(model)
                continue
            rows = build.judging.batch_size if role.startswith("judge") else build.batch_size
            reader = self._reader(role, model, sizes, rows)
            if role.startswith("judge") and model.source.kind in ("", "causal_lm"):
                own = judge_parts(reader, texts, build.shard_images)
            else:
                own = policy_parts(reader, texts, build.shard_images, self.machine)
            parts += own + self._parked(reader, own)
            if role == "policy" and self.recipe.rounds > 1:
                parts += spread("policy: the adapter of the round before", 4 * self._adapter, reader.places)
        return Need("build-data", tuple(parts), tuple(unknown), _assumed(texts, build.shard_images))

    def train(self, texts: Texts | None = None) -> Need:
        """Return what `clincot train` needs in each process."""
        texts, policy, unknown = texts or of_build(self.recipe), self.models["policy"], list[str]()
        if self._sizes(policy, unknown) is None:
            return Need("train", (), tuple(unknown))
        place = "gpu 0" if self.machine.gpus else "cpu"
        load = replace(policy.source.load, dtype=self._trained())
        parts = training_parts(self.recipe, policy.sizes(load), self._adapter, texts, place, self.machine)
        return Need("train", (*self._libraries("train"), *parts), (), _assumed(texts))

    def evaluate(self, texts: Texts | None = None) -> Need:
        """Return what `clincot evaluate` needs: one policy after the other, and the proposer."""
        texts, asked, unknown = texts or of_evaluation(self.recipe), self.recipe.evaluate, list[str]()
        policy, parts = self.models["policy"], self._libraries("evaluate")
        sizes = None if policy.served else self._sizes(policy, unknown)
        if sizes is not None:
            reader = self._reader("policy", policy, sizes, asked.batch_size, alone=True)
            parts += policy_parts(reader, texts, self.recipe.build.shard_images, self.machine)
            parts += spread("policy: the adapter of a round", 4 * self._adapter, reader.places)
        if "proposer" in self.models:
            parts += self._encoder(self.models["proposer"])
        return Need("evaluate", tuple(parts), tuple(unknown), _assumed(texts, self.recipe.build.shard_images))

    def _sizes(self, model: Model, unknown: list[str]) -> Footprint | None:
        """Return the sizes of a language model; None for another model, a served one, or unknown sizes (said)."""
        if model.unknown:
            unknown.append(f"{model.role}: {model.unknown}")
        if model.nothing or model.unknown or not model.reads:
            return None
        try:
            return model.sizes(model.source.load)
        except ClincotError as error:
            unknown.append(f"{model.role}: {error}")
            return None

    def _reader(self, role: str, model: Model, sizes: Footprint, rows: int, *, alone: bool = False) -> Reader:
        return Reader(
            role, sizes, self._places(model.source.load), rows, role, role if self._swaps and not alone else ""
        )

    @property
    def _swaps(self) -> bool:
        return self.recipe.models.resident == "one" and bool(self.machine.gpus)

    def _parked(self, reader: Reader, parts: list[Part]) -> list[Part]:
        """Return what waits in CPU memory while others have their turn: weights, and what is kept of every shard."""
        if not self._swaps or reader.places == ("cpu",):
            return []
        kept = sum(part.bytes for part in parts if part.name.endswith(KEPT)) * self.recipe.models.shards_together
        waits = {"weights": reader.model.weights, "prompts": kept}
        return [Part(f"{reader.role}: {what} that wait", size, "cpu") for what, size in waits.items() if size]

    def _places(self, load: Load) -> tuple[str, ...]:
        gpus = tuple(f"gpu {number}" for number in range(len(self.machine.gpus)))
        if load.device_map in SPREAD:
            return gpus or ("cpu",)
        if load.device_map.startswith("cuda"):
            return (f"gpu {load.device_map.partition(':')[2] or 0}",)
        return gpus[:1] if gpus and not load.device_map else ("cpu",)

    def _encoder(self, model: Model) -> list[Part]:
        """A proposer, editor or similarity: small encoders, on the CPU unless a device is named, as their files are."""
        if model.reads or model.nothing or not model.files:
            return []
        load = model.source.load
        places = self._places(load) if load.device_map else ("cpu",)
        return spread(f"{model.role}: weights", model.files, places)

    def _libraries(self, stage: str) -> list[Part]:
        gpus = [f"gpu {number}" for number in range(len(self.machine.gpus))][:1]
        return [Part("libraries", int(LIBRARIES[stage]), "cpu"), *(Part("CUDA", int(CUDA), gpu) for gpu in gpus)]

    def _trained(self) -> Literal["float32", "bfloat16"]:
        named = self.recipe.train.dtype
        if named != "auto":
            return named
        return "bfloat16" if self.machine.gpus else "float32"

    @cached_property
    def _adapter(self) -> int:
        model, train = empty_model(AutoConfig.from_pretrained(self.models["policy"].folder)), self.recipe.train
        lora = dict(train.lora)
        if train.projector_lr:
            own = lora.get("modules_to_save") or []
            lora["modules_to_save"] = [*([own] if isinstance(own, str) else own), *projector_modules(model)]
        return adapter_size(model, lora)


def _assumed(texts: Texts, images: int = 0) -> str:
    """Say what lengths an estimate counts with."""
    about = f", {texts.questions} questions on each of {images} images" if images else ""
    return f"questions of {texts.question} tokens, texts of {texts.response}{about}"
