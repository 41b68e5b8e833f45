"""A model that reads and writes, and the lengths of its texts -> its weights, what it keeps, and its largest batch."""

from __future__ import annotations

from dataclasses import dataclass

from clincot.engines.cache_size import CACHE_BYTES, GPU_SHARE
from clincot.judges.causal_lm import CACHE_BYTES as JUDGE_BYTES
from clincot.lm.footprint import Footprint
from clincot.runs.doctor.machine import Machine
from clincot.runs.doctor.needs import Part, spread
from clincot.runs.doctor.texts import Texts

KEPT = "prompts kept for a shard"
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
    # Batches are sorted by images and regions, so prompts of several questions meet there.
    begun = min(reader.rows, reader.rows // texts.questions + 1) * (texts.template + image)
    read = max(begun, reader.rows * (texts.question + (texts.steps - 1) * texts.response))
    batch = max(_batch(reader, texts.prompt(image) + texts.response, read), reader.rows * image * model.tower)
    return [
        *reader.weights,
        *spread(f"{reader.role}: {KEPT}", kept, reader.places, reader.weights_turn),
        *spread(f"{reader.role}: a batch of {reader.rows}", batch, reader.places, reader.turn),
    ]


def judge_parts(reader: Reader, texts: Texts, images: int) -> list[Part]:
    """Return the parts of a judge of texts, which keeps beginnings of prompts during one call."""
    model, asked = reader.model, images * texts.questions
    begun = texts.rubric + asked * (texts.reference + (texts.regions * texts.response if texts.ahead > 1 else 0))
    read = max(texts.rubric, reader.rows * (texts.response + texts.instruction))
    batch = min(JUDGE_BYTES, begun * model.cached) + _batch(reader, texts.judged, read)
    return [*reader.weights, *spread(f"{reader.role}: a batch of {reader.rows}", batch, reader.places, reader.turn)]


def _batch(reader: Reader, tokens: int, read: int) -> int:
    """Return the bytes of a batch of prompts of so many `tokens`, of which it reads `read` in all at a time.

    Keys and values, two layers of them twice while they are joined; a forward pass; what a token is drawn from.
    """
    model = reader.model
    joined = reader.rows * tokens * (model.cached + 2 * model.cached // model.layers)
    return joined + read * model.read + reader.rows * model.vocabulary * SAMPLED


def _limit(place: str, machine: Machine) -> int:
    if place == "cpu":
        return CACHE_BYTES
    number = int(place.removeprefix("gpu "))
    return machine.gpus[number].total // GPU_SHARE if number < len(machine.gpus) else CACHE_BYTES
