"""What a policy answered and believes -> one small JSON file of a row, a seed and a policy; and back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clincot.phantom.v2.draw import Radiograph
from clincot.phantom.v2.texts.statements import shown
from clincot.records import Example
from clincot.records.atomic import write_file
from clincot.stages.evaluate.predictions import Prediction
from study.truth import cached_layout, finding_level, is_right, report_counts

UNKNOWN = "."


@dataclass(frozen=True)
class Result:
    """One row under one seed with one policy; texts are a letter or a few for each question, in the order asked.

    `answers`: right or wrong. `levels`: right parts of each finding, a letter for each finding of the chain. `points`:
    whether the first region shows a nodule, where the image has one. `reports`: nodules named, invented and missed, of
    each report. `odds`: hundredths of the log-odds of naming a nodule, of each object of each image (16 bits,
    base64), `films`: of each object of each film.
    `orders`: pairs of statements about an image that are ordered rightly, and wrongly. `key` names all that decides the
    result, `made` what its trainings took.
    """

    row: str
    policy: str
    seed: int
    key: str
    commit: str
    answers: str
    levels: str
    points: str
    reports: tuple[int, ...]
    odds: str = ""
    orders: tuple[int, ...] = ()
    cpu_seconds: float = 0.0
    made: tuple[dict[str, Any], ...] = ()
    films: str = ""

    def write(self, path: Path) -> None:
        """Write the file whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), separators=(",", ":")) + "\n"
        write_file(path, lambda partial: partial.write_text(text, encoding="utf-8"))

    @property
    def log_odds(self) -> np.ndarray:
        """Return the log-odds of every object."""
        return unpacked_odds(self.odds)


def read(path: Path) -> Result | None:
    """Return the result of a file; None where there is none."""
    if not path.is_file():
        return None
    values = json.loads(path.read_text(encoding="utf-8"))
    for name in ("reports", "orders", "made"):
        values[name] = tuple(values[name])
    return Result(**values)


def every(folder: Path) -> list[Result]:
    """Return all results below a folder, by policy, row and seed."""
    found = [result for path in sorted(folder.glob("*/*.json")) if (result := read(path)) is not None]
    return sorted(found, key=lambda one: (one.policy, one.row, one.seed))


def packed_odds(odds: np.ndarray) -> str:
    """Return log-odds as 16-bit hundredths in base64."""
    return base64.b64encode(np.clip(np.round(100 * odds), -32000, 32000).astype("<i2").tobytes()).decode()


def of_predictions(asked: Sequence[Example], predictions: Iterable[Prediction], findings: int) -> dict[str, Any]:
    """Return `answers`, `levels`, `points` and `reports` of the predictions, in the order of the questions."""
    by_id = {prediction.example_id: prediction for prediction in predictions}
    answers, levels, points, reports = "", "", "", []
    for example in asked:
        made, layout = by_id[example.id], cached_layout(example.image_id)
        answers += str(int(is_right(example, made.text)))
        looked = list(zip(made.findings, made.regions, strict=False))
        own = "".join(str(finding_level(text, layout, at.box)) for text, at in looked)
        levels += own[:findings].ljust(findings, UNKNOWN)
        known = bool(layout.lesions) and bool(made.regions)
        points += str(int(bool(shown(layout.lesions, made.regions[0].box)))) if known else UNKNOWN
        if example.answer_type == "report":
            reports += report_counts(made.text, layout.lesions)
    return {"answers": answers, "levels": levels, "points": points, "reports": tuple(reports)}


def unpacked_odds(text: str) -> np.ndarray:
    """Return the log-odds of a packed text."""
    return np.frombuffer(base64.b64decode(text), "<i2") / 100


def objects_of(bank: Sequence[Radiograph]) -> list[tuple[int, Any]]:
    """Return (place of its image, object) in the order of `odds`."""
    return [(place, thing) for place, drawn in enumerate(bank) for thing in drawn.layout.things]
