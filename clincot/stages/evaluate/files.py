"""An evaluation -> the files of a push: results.json, results.md and the predictions as parquet."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clincot import protocols
from clincot.stages.evaluate import Evaluation
from clincot.stages.evaluate.marks import Against, against_controls, row_name
from clincot.stages.evaluate.predictions import write_predictions
from clincot.stages.evaluate.tables import markdown


def result_files(evaluation: Evaluation, folder: Path) -> dict[str, Path]:
    """Write results.json, results.md and the predictions into `folder`; return path in a repository -> local path."""
    folder.mkdir(parents=True, exist_ok=True)
    as_json, as_text = folder / "results.json", folder / "results.md"
    text = json.dumps(_finite(facts(evaluation)), indent=2, ensure_ascii=False)
    as_json.write_text(text + "\n", encoding="utf-8")
    as_text.write_text(markdown(evaluation), encoding="utf-8")
    parquet = write_predictions(evaluation.predictions, folder / "predictions.parquet")
    return {
        "results.json": as_json,
        "results.md": as_text,
        f"predictions/{evaluation.split}-00000-of-00001.parquet": parquet,
    }


def facts(evaluation: Evaluation) -> dict[str, Any]:
    """Return everything but the predictions, as plain values; nan where nothing was counted."""
    labels = list(dict.fromkeys(result.protocol for result in evaluation.results))
    marks = {label: against_controls(evaluation, label) for label in labels}
    asked = protocols.load(evaluation.protocol)
    probed = [asdict(one) | {"undecided": one.undecided} for one in evaluation.probes]
    results = []
    for result in evaluation.results:
        against = marks[result.protocol].get((result.row, result.metric)) if not result.by else None
        results.append(asdict(result) | (against or Against())._asdict())
    return {
        "benchmark": evaluation.benchmark,
        "protocol": evaluation.protocol,
        "split": evaluation.split,
        "cut": evaluation.cut,
        "as_asked": {label: protocols.load(label).as_asked(asked) for label in labels},
        "results": results,
        "comparisons": [asdict(c) | {"undecided": c.undecided} for c in evaluation.comparisons],
        "unreadable": evaluation.unreadable,
        "unanswered": evaluation.unanswered,
        "without_region": {row_name(row): n for row, n in evaluation.without_region.items()},
        "contamination": contamination(evaluation),
        "notes": list(evaluation.notes),
        **({"probes": probed} if probed else {}),
        **({"flips": [asdict(one) for one in evaluation.flips]} if evaluation.flips else {}),
    }


def contamination(evaluation: Evaluation) -> dict[str, Any]:
    """Return per policy how many test images and questions it was trained on, and their ids; None: unknown."""
    return {
        policy: None
        if shared is None
        else {
            "images": len(shared),
            "of": len(evaluation.questions_of),
            "questions": sum(evaluation.questions_of[image] for image in shared),
            "ids": list(shared),
        }
        for policy, shared in evaluation.contamination.items()
    }


def _finite(value: object) -> object:
    """Replace nan by null: JSON knows no nan, and a Hub viewer refuses the file."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
