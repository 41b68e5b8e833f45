"""A metric's description, formula and source -> the `MetricInfo` of a metric that compares texts."""

from __future__ import annotations

import datasets
import evaluate

TEXTS = "predictions, references: lists of texts."


def of_texts(description: str, source: str, options: str = "") -> evaluate.MetricInfo:
    """`options` names the keyword arguments of `compute`; an empty list of texts is allowed and scores 0."""
    features = {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
    return evaluate.MetricInfo(
        description=description,
        citation=source,
        inputs_description=f"{TEXTS} {options}".strip(),
        features=datasets.Features(features),
    )
