"""A trainer's logs -> the files that an adapter's repository keeps of them: a table of all, an image for its card."""

from __future__ import annotations

from pathlib import Path

from clincot.report.figures.drawing import sheet
from clincot.report.figures.png import png
from clincot.report.run.curves import FILE, History, panels_of, to_table

IMAGE = "curve.png"
SHOWN = {
    "loss": "loss",
    "rewards/accuracies": "reward accuracy",
    "rewards/margins": "reward margin",
    "mean_token_accuracy": "token accuracy",
}


def training_files(history: History, title: str, folder: Path, round_: str) -> dict[str, Path]:
    """Write table and image into `folder`; return path in the repository -> local path."""
    folder.mkdir(parents=True, exist_ok=True)
    table, image = folder / FILE, folder / IMAGE
    table.write_text(to_table(history), encoding="utf-8")
    image.write_bytes(training_curve(history, title))
    return {f"{round_}/{path.name}": path for path in (table, image)}


def training_curve(history: History, title: str) -> bytes:
    """Draw each logged value of SHOWN over its step as PNG; one that no entry holds has no panel."""
    return png(sheet(title, panels_of({title: history}, SHOWN)))
