"""Answers of a group of images -> one parquet part named by all that decides them, so that none is computed twice.

A part is written to a temporary name, synced and renamed: a killed evaluation continues with the parts that are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features, List, Value

from clincot.errors import DataError
from clincot.records import Box, Example
from clincot.records.lineage import content_key
from clincot.rows import schema
from clincot.stages.evaluate.inference import Answer, Looked

REGIONS = List({"hypothesis": Value("string"), "box": List(Value("int32"))})  # what each step looked at
ANSWER_FEATURES = Features(
    {
        "example_id": Value("string"),
        "image_id": Value("string"),
        "text": Value("string"),  # null: the image could not be read
        "findings": List(Value("string")),
        "hypothesis": Value("string"),
        "box": List(Value("int32")),
        "problem": Value("string"),  # of the image, or why there is no answer
        "regions": REGIONS,
    }
)
NOTHING: dict[str, Any] = {"text": None, "findings": [], "hypothesis": None, "box": None, "regions": []}
PREDICTION_FEATURES = Features(
    {
        "example_id": Value("string"),
        "image_id": Value("string"),
        "policy": Value("string"),
        "inference": Value("string"),
        "control": Value("string"),
        "text": Value("string"),
        "findings": List(Value("string")),
        "hypothesis": Value("string"),
        "box": List(Value("int32")),
        "regions": REGIONS,
    }
)


@dataclass(frozen=True)
class Prediction:
    """What a policy (or a control that needs none) answered to an example; `control` is "" for the policy itself.

    `hypothesis` and `box` are those of the region that the first step looked at, `regions` those of every step.
    """

    example_id: str
    image_id: str
    policy: str
    inference: str
    text: str
    findings: tuple[str, ...]
    hypothesis: str | None
    box: Box | None
    control: str = ""
    regions: tuple[Looked, ...] = ()


@dataclass(frozen=True)
class Part:
    """The answers of one group, in the order of its examples.

    `unreadable` maps what names the images of an example (`Example.images_id`) to what is wrong with one of them.
    """

    answers: tuple[Answer, ...]
    unreadable: dict[str, str]


@dataclass(frozen=True)
class Store:
    """Parts below `folder`; `key` names prompts, settings and proposer, which every answer depends on.

    `asking` names a foreign prompt, which direct answers alone depend on.
    """

    folder: Path
    key: str
    asking: str = ""

    def path(self, policy_key: str, inference: str, control: str, examples: Sequence[Example]) -> Path:
        """Return where the part of these examples (all questions of a few images) lies."""
        foreign = (self.asking,) if self.asking and inference == "direct" else ()
        run = content_key(self.key, policy_key, inference, control, *foreign)[:16]
        asked = [(e.id, e.images_id, e.question, e.answer_type, e.modality, _known_of(e)) for e in examples]
        name = f"{inference}-{control or 'image'}-{run}"
        return self.folder / name / f"{content_key(asked)[:16]}.parquet"

    @staticmethod
    def read(path: Path) -> Part:
        """Return the part; raises DataError for a damaged one."""
        try:
            rows = pq.read_table(path).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{path}: cannot be read ({error}). Delete it; its answers are then made again.") from error
        answers = (
            Answer(
                r["example_id"],
                r["text"],
                tuple(r["findings"]),
                r["hypothesis"],
                Box(*r["box"]) if r["box"] else None,
                r["problem"] or "",
                tuple(Looked(one["hypothesis"], Box(*one["box"])) for one in r["regions"]),
            )
            for r in rows
            if r["text"] is not None
        )
        return Part(tuple(answers), {r["image_id"]: r["problem"] for r in rows if r["text"] is None})

    @staticmethod
    def write(path: Path, part: Part, examples: Sequence[Example]) -> None:
        """Write atomically; raises DiskFull."""
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = list(_rows(part, examples))
        _write(rows, path, ANSWER_FEATURES)


def _known_of(example: Example) -> list[Any]:
    """Return what is known of an example's regions, which proposers and probes read."""
    return [(one.finding, one.box, one.mask and sha256(one.mask).hexdigest()) for one in example.true_regions]


def _rows(part: Part, examples: Sequence[Example]) -> Iterator[dict[str, Any]]:
    answers = {answer.example_id: answer for answer in part.answers}
    for example in examples:
        answer = answers.get(example.id)
        known = asdict(answer) if answer else dict(NOTHING)
        yield known | {
            "example_id": example.id,
            "image_id": example.images_id,
            "problem": part.unreadable.get(example.images_id) or known.get("failure") or None,
        }


def write_predictions(predictions: Sequence[Prediction], path: Path) -> Path:
    """Write all predictions as one parquet file that `datasets` loads; no golds, no pixels."""
    rows = [asdict(prediction) for prediction in predictions]
    _write(rows, path, PREDICTION_FEATURES)
    return path


def _write(rows: Sequence[Mapping[str, Any]], path: Path, features: Features) -> None:
    ordered = [{name: row[name] for name in features} for row in rows]
    schema.write_parquet([schema.table(ordered, features)], path, features)
