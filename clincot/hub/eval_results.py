"""Rows of results and the dataset they are about -> the bytes of a model repository's `.eval_results/*.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

from clincot.records.lineage import Pin

FOLDER = ".eval_results"


def eval_results(rows: Sequence[Mapping[str, Any]], dataset: Pin, split: str, cut: str = "") -> bytes:
    """Return one entry per row; the protocol is part of the task, inference, count and interval are notes.

    A row has protocol, metric, value in [0, 1], low, high (None for one image), n, policy (the round's tag) and
    inference, and `mark` where a control is as good or better. `split` begins the task; `cut` says how train and test
    were parted.
    """
    entries = [
        EvalResultEntry(
            dataset_id=dataset.repo,
            dataset_revision=dataset.sha,
            task_id=f"{split}/{row['protocol']}/{row['metric']}",
            value=row["value"],
            notes=(
                f"{row['policy']}, {row['inference']} inference, protocol {row['protocol']}, n {row['n']},"
                f" {_interval(row)}"
                f"{', not shown to be above every control' if row.get('mark') else ''}"
                f"{f'; {cut}' if cut else ''}"
            ),
        )
        for row in rows
    ]
    text = yaml.safe_dump(eval_result_entries_to_yaml(entries), sort_keys=False, allow_unicode=True, width=1000)
    return text.encode()


def path_of(benchmark: str) -> str:
    """Return the path of a benchmark's results in a model repository."""
    return f"{FOLDER}/{benchmark}.yaml"


def _interval(row: Mapping[str, Any]) -> str:
    if row["low"] is None or row["high"] is None:
        return "no interval: one image"
    return f"95 % interval {row['low']:.4f} to {row['high']:.4f} (bootstrap over images)"
