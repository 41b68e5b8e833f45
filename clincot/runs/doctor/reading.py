"""A model that reads and writes, and the lengths of its texts -> its weights, what it keeps, and its largest batch."""

from __future__ import annotations

from dataclasses import dataclass

from clincot.engines.cache_size import CACHE_BYTES, GPU_SHARE
from clincot.judges.causal_lm import CACHE_BYTES as JUDGE_BYTES
from clincot.lm.footprint import Footprint
from clincot.runs.doctor.machine import Machine
from clincot.runs.doctor.needs import Part, spread
from clincot.runs.doctor.texts import Texts

SAMPLED = 28  # bytes a number of the vocabulary takes while a token is drawn: logits, and probabilities in float64


@dataclass(frozen=True)
class Reader:
    """A model of a role, where it lies, and the most prompts of a batch.

    `images` are those of a shard or group, each with its regions; `turn` names what does not run with others.
    """

    role: str
    model: Footprint
    places: tuple[str, ...]
    rows: int
    turn: str
    weights_turn: str = ""

    @property
    def weights(self) -> list[Part]:
        how = self.model.quantization if self.model.quantization != "none" else DTYPES.get(self.model.size, "")
        return spread(f"{self.role}: weights, {how}", self.model.weights, self.places, self.weights_turn)


DTYPES = {2: "16 bits", 4: "float32"}


def policy_parts(reader: Reader, texts: Texts, images: int, machine: Machine) -> list[Part]:
    """Return the parts of an engine that reads prompts about `images` images before it forgets them."""
    model = reader.model
    limit = _limit(reader.places[0], machine)
    image = texts.image or model.image_tokens or 576
    regions = texts.regions
    trunks = images * (texts.template + (0 if texts.canvas else image) + regions * image)
    later = texts.question + (2 * texts.steps - 2) * (texts.response + texts.instruction)
    branches = images * texts.questions * regions * later
    features = images * (1 + regions) * image * model.width * model.size
    kept = min(limit, features) + min(limit, trunks * model.cached) + min(limit, branches * model.cached)
    segment = max(texts.template + image, texts.question + (texts.steps - 1) * texts.response)
    batch = reader.rows * max(_batch(model, texts.prompt(image) + texts.response, segment), image * model.tower)
    return [
        *reader.weights,
        *spread(f"{reader.role}: prompts kept for a shard", kept, reader.places, reader.weights_turn),
        *spread(f"{reader.role}: a batch of {reader.rows}", batch, reader.places, reader.turn),
    ]


def judge_parts(reader: Reader, texts: Texts, images: int) -> list[Part]:
    """Return the parts of a judge of texts, which keeps beginnings of prompts during one call."""
    model, candidates = reader.model, texts.regions
    begun = texts.rubric + candidates * texts.response * (1 if texts.ahead > 1 else 0)
    kept = min(JUDGE_BYTES, images * texts.questions * begun * model.cached)
    batch = kept + reader.rows * _batch(model, texts.judged, texts.rubric)
    return [*reader.weights, *spread(f"{reader.role}: a batch of {reader.rows}", batch, reader.places, reader.turn)]


def _batch(model: Footprint, tokens: int, segment: int) -> int:
    """Return the bytes of a prompt in a batch: keys and values, two layers of them twice, a forward pass, logits."""
    joined = tokens * (model.cached + 2 * model.cached // model.layers)
    return joined + segment * model.read + model.vocabulary * SAMPLED


def _limit(place: str, machine: Machine) -> int:
    if place == "cpu":
        return CACHE_BYTES
    number = int(place.removeprefix("gpu "))
    return machine.gpus[number].total // GPU_SHARE if number < len(machine.gpus) else CACHE_BYTES
