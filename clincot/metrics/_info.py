"""A metric's description, formula and source -> the `MetricInfo` of a metric that compares texts, or boxes."""

from __future__ import annotations

import datasets
import evaluate

TEXTS = "predictions, references: lists of texts."
BOXES = "predictions: boxes (left, upper, right, lower), [] for none. truth: boxes (the default) or mask."


def of_texts(description: str, source: str, options: str = "") -> evaluate.MetricInfo:
    """`options` names the keyword arguments of `compute`; an empty list of texts is allowed and scores 0."""
    features = {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
    return evaluate.MetricInfo(
        description=description,
        citation=source,
        inputs_description=f"{TEXTS} {options}".strip(),
        features=datasets.Features(features),
    )


def of_boxes(description: str, source: str) -> evaluate.MetricInfo:
    """A prediction is one box; a reference is the true boxes, or the rows of pixels of a mask."""
    features = {
        "predictions": datasets.Sequence(datasets.Value("int64")),
        "references": datasets.Sequence(datasets.Sequence(datasets.Value("int64"))),
    }
    return evaluate.MetricInfo(
        description=description,
        citation=source,
        inputs_description=BOXES,
        features=datasets.Features(features),
    )
