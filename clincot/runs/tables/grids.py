"""An evaluation and its examples -> sums of every measure by image, of every policy and way of asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clincot import protocols
from clincot.protocols import Measure
from clincot.records import Example
from clincot.records.lineage import content_key
from clincot.stages.evaluate import Evaluation
from clincot.stages.evaluate.results import Row, Scoring

PAPER = protocols.load("paper").label
DIGITS = 16  # of a key of an image


def labels_of(evaluation: Evaluation) -> tuple[str, ...]:
    """Return the protocols whose measures are kept: the paper's, and the one that was asked under."""
    return tuple(dict.fromkeys((PAPER, evaluation.protocol)))


def shown_measures(label: str) -> tuple[Measure, ...]:
    """Return the measures of a protocol that a table may show: those of texts that lead its own tables."""
    grounding = protocols.GROUNDING
    return tuple(m for m in protocols.load(label).measures if m.headline and m.scores[0][1] not in grounding)


def image_keys(examples: Sequence[Example]) -> tuple[str, ...]:
    """Return a key for each image, in the examples' order; it names no image to who does not have the data."""
    names = dict.fromkeys(example.image_id for example in examples)
    return tuple(content_key("image of a table", name)[:DIGITS] for name in names)


def questions_key(examples: Sequence[Example]) -> str:
    """Return a key of what was asked, and with which gold answers."""
    return content_key([(e.id, e.image_id, e.question, e.answer, e.answer_type) for e in examples])[:DIGITS]


def sums_of(
    evaluation: Evaluation, examples: Sequence[Example]
) -> tuple[dict[str, dict[str, dict[str, np.ndarray]]], dict[str, int]]:
    """Return sums by policy, way of asking and `LABEL/MEASURE`, and how many questions each measure counted."""
    rows: dict[Row, list] = {}
    for prediction in evaluation.predictions:
        if not prediction.control:
            rows.setdefault(Row(prediction.policy, prediction.inference), []).append(prediction)
    found: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    counts: dict[str, int] = {}
    for label in labels_of(evaluation):
        scoring = Scoring(protocols.load(label), examples, 1, 0)
        for measure in shown_measures(label):
            for row, predictions in rows.items():
                terms = scoring.terms(measure, predictions)
                if terms:
                    name = f"{label}/{measure.name}"
                    counts[name] = len(terms)
                    found.setdefault(row.policy, {}).setdefault(row.inference, {})[name] = scoring.resampling.sums(
                        terms
                    )
    return found, counts


def asked_of(examples: Sequence[Example], evaluation: Evaluation) -> list[Example]:
    """Return the examples that were answered: those of readable images, within the recipe's limit."""
    answered = {prediction.example_id for prediction in evaluation.predictions}
    return [example for example in examples if example.id in answered]


def titles_of(label: str) -> Mapping[str, str]:
    """Return how a table heads each measure, short and as the paper does where it has the measure."""
    paper = {
        "open_recall": "Open",
        "closed_accuracy": "Closed",
        "bleu_mean": "BLEU",
        "rougeL": "ROUGE-L",
        "meteor": "METEOR",
    }
    return {m.name: paper.get(m.name, m.title) for m in shown_measures(label)}


def columns_of(label: str, counted: Mapping[str, int]) -> tuple[Measure, ...]:
    """Return the columns of a table under a protocol: of the paper's those that it prints, where anything counted."""
    measures = [m for m in shown_measures(label) if f"{label}/{m.name}" in counted]
    titles = titles_of(label)
    return tuple(m for m in measures if label != PAPER or titles[m.name] != m.title or m.name in ("rougeL", "meteor"))
