"""What a trainer logged in each round -> a figure of the training curves; its logs <-> the table that is stored."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from clincot.report.figures.charts import Series, line_chart
from clincot.report.figures.drawing import Drawing
from clincot.report.figures.figure import Figure

FILE = "training.csv"  # below a round's folder of the adapter's repository
PANELS = {
    "loss": "loss",
    "rewards/accuracies": "reward accuracy",
    "rewards/margins": "reward margin",
    "rewards/chosen": "reward of chosen texts",
    "rewards/rejected": "reward of rejected texts",
    "mean_token_accuracy": "token accuracy",
    "learning_rate": "learning rate",
    "grad_norm": "norm of the gradient",
}
# How fast a machine was says nothing of the adapter, and would give the same training other bytes.
NOT_STORED = ("runtime", "per_second", "total_flos", "train_loss")

History = Sequence[Mapping[str, Any]]


def curves_figure(histories: Mapping[str, History]) -> Figure:
    """Draw each logged value over its step, a line for each round."""
    return Figure(
        "training",
        "Training curves",
        ("As the trainer logged them.", "A reward is beta times the log-ratio of the policy and the reference."),
        tuple(panels_of(histories, PANELS)),
        ("round", "step", "value", "number"),
        tuple(
            (name, entry["step"], key, entry[key])
            for name, history in histories.items()
            for entry in history
            for key in PANELS
            if key in entry and "step" in entry
        ),
    )


def panels_of(histories: Mapping[str, History], titles: Mapping[str, str]) -> list[Drawing]:
    """Return a panel for each value that any entry holds."""
    found = []
    for key, title in titles.items():
        series = [Series(name, points) for name, history in histories.items() if (points := _points(history, key))]
        if series:
            found.append(line_chart(title, series, ("step", "")))
    return found


def to_table(history: History) -> str:
    """Write what a trainer logged as CSV, one line for each step; speeds and times are left out."""
    entries = [entry for entry in history if "step" in entry and not any("runtime" in key for key in entry)]
    keys = [key for key in dict.fromkeys(key for entry in entries for key in entry) if key != "step"]
    keys = [key for key in keys if not any(word in key for word in NOT_STORED)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", *keys])
    writer.writerows([entry["step"], *(entry.get(key, "") for key in keys)] for entry in entries)
    return text.getvalue()


def from_table(text: str) -> list[dict[str, float]]:
    """Read what `to_table` wrote. Raises ValueError for what is no number."""
    return [
        {key: float(value) for key, value in row.items() if key and value} for row in csv.DictReader(io.StringIO(text))
    ]


def _points(history: History, key: str) -> tuple[tuple[float, float], ...]:
    return tuple((float(e["step"]), float(e[key])) for e in history if key in e and "step" in e)
