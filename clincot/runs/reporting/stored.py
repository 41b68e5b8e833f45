"""A run's store -> what its newest releases hold: lineages, rows without images, training logs, results."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from clincot.errors import DataError, NotOnHub
from clincot.records import Box
from clincot.records.lineage import Kind, Lineage, Pin
from clincot.report.run import curves
from clincot.report.run.lineage import Made
from clincot.runs import releases
from clincot.runs.releases.content import content_of
from clincot.runs.releases.tags import name_of
from clincot.runs.run import Run
from clincot.stages.evaluate import Evaluation, Prediction
from clincot.stages.evaluate.inference import Looked
from clincot.stages.evaluate.probes import Flip
from clincot.stages.evaluate.results import Comparison, Result

ROUND = re.compile(r"round-(\d+)")
PAIRS = ("chosen", "rejected", "chosen_score", "rejected_score")
CANDIDATES = ("id", "judge_scores")


@dataclass(frozen=True)
class Held:
    """A release of the store: its pin, and its lineage."""

    pin: Pin
    lineage: Lineage


@dataclass(frozen=True)
class Stored:
    """The newest version of each round in the run's store; nothing is read of a Hub."""

    run: Run
    datasets: Sequence[Held] = field(default=())
    adapters: Sequence[Held] = field(default=())
    results: Sequence[Held] = field(default=())

    @classmethod
    def of(cls, run: Run) -> Stored:
        """Look into the store of `run`."""
        return cls(
            run,
            _releases(run, "dataset", run.preferences_repo),
            _releases(run, "model", run.adapter_repo),
            _releases(run, "dataset", run.results_repo),
        )

    @property
    def everything(self) -> list[Held]:
        return [*self.datasets, *self.adapters, *self.results]

    @property
    def sealed(self) -> bool:
        """Whether texts or images of the data are redacted in a release."""
        return any(held.lineage.facts.get("withheld") for held in self.everything)

    @cached_property
    def made(self) -> list[Made]:
        store = self.run.store
        return [Made(h.pin.repo, h.pin.revision, h.lineage, content_of(store, h.pin)) for h in self.everything]

    def pairs(self) -> dict[str, list[dict[str, Any]]]:
        """Return tag -> texts and scores of its pairs."""
        return {held.pin.revision: self._rows(held, "", PAIRS) for held in self.datasets}

    def candidates(self) -> dict[str, list[dict[str, Any]]]:
        """Return tag -> ratings of its candidates; a round of imported rows has none."""
        return {held.pin.revision: self._rows(held, "-candidates", CANDIDATES) for held in self.datasets}

    def histories(self) -> dict[str, list[dict[str, float]]]:
        """Return tag -> what the trainer logged, of the adapters that have it."""
        found = {}
        for held in self.adapters:
            path = f"{name_of(held.pin.revision)}/{curves.FILE}"
            try:
                found[held.pin.revision] = curves.from_table(self.run.store.read(held.pin, path).decode())
            except NotOnHub:  # of an older version
                continue
            except ValueError as error:
                raise DataError(f"{held.pin}: {path} cannot be read ({error}). Train the round again.") from error
        return found

    def evaluation(self) -> Evaluation | None:
        """Return the newest evaluation, None before the first one."""
        if not self.results:
            return None
        held = self.results[-1]
        folder = self.run.store.snapshot(held.pin)
        try:
            rows = [
                row for path in _parquets(folder, f"{name_of(held.pin.revision)}-predictions") for row in _read(path)
            ]
            return _evaluation(self._facts, [_prediction(row) for row in rows])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{held.pin}: its results cannot be read ({error}). Evaluate the run again.") from error

    def probes(self) -> list[dict[str, Any]]:
        """Return the numbers of the newest evaluation's probes."""
        found: list[dict[str, Any]] = self._facts.get("probes", []) if self.results else []
        return found

    def flips(self) -> list[Flip]:
        """Return the chains of the newest evaluation whose answer flips with its crops."""
        found: list[dict[str, Any]] = self._facts.get("flips", []) if self.results else []
        return [Flip(**one | {part: tuple(one[part]) for part in ("findings", "swapped_findings")}) for one in found]

    @cached_property
    def _facts(self) -> dict[str, Any]:
        """What results.json of the newest evaluation holds."""
        held = self.results[-1]
        text = self.run.store.read(held.pin, f"{name_of(held.pin.revision)}/results.json").decode()
        facts: dict[str, Any] = json.loads(text)
        return facts

    def _rows(self, held: Held, part: str, columns: Sequence[str]) -> list[dict[str, Any]]:
        config = f"{name_of(held.pin.revision)}{part}"
        folder = self.run.store.snapshot(held.pin, [f"{config}/*"])
        return [row for path in _parquets(folder, config) for row in _read(path, columns)]


def _releases(run: Run, kind: Kind, repo: str) -> list[Held]:
    tags = run.store.tags(kind, repo)
    rounds = sorted({0, *(int(found[1]) for tag in tags if (found := ROUND.match(tag)))})
    newest = [(round_, releases.latest_tag(tags, round_, run.start)) for round_ in rounds]
    pins = [(round_, run.store.resolve(kind, repo, tag)) for round_, tag in newest if tag is not None]
    return [Held(pin, releases.read_lineage(run.store, pin, round_, run.start)) for round_, pin in pins]


def _parquets(folder: Path, config: str) -> list[Path]:
    return sorted((folder / config).glob("*.parquet"))


def _read(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    have = set(pq.read_schema(path).names)
    rows: list[dict[str, Any]] = pq.read_table(path, columns=[c for c in columns or have if c in have]).to_pylist()
    return rows


def _evaluation(facts: Mapping[str, Any], predictions: Sequence[Prediction]) -> Evaluation:
    asked: dict[str, set[str]] = {}
    for p in predictions:
        if p.policy and not p.control:
            asked.setdefault(p.image_id, set()).add(p.example_id)
    return Evaluation(
        benchmark=facts["benchmark"],
        protocol=facts["protocol"],
        split=facts["split"],
        results=tuple(Result(**_known(Result, one)) for one in facts["results"]),
        comparisons=tuple(Comparison(**_known(Comparison, one)) for one in facts["comparisons"]),
        predictions=tuple(predictions),
        unreadable=facts["unreadable"],
        without_region={},
        questions_of={image: len(ids) for image, ids in asked.items()},
        cut=facts.get("cut", ""),
    )


def _known(record: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a record; a number that JSON cannot hold is null there."""
    names = [entry.name for entry in fields(record)]
    return {name: math.nan if values[name] is None else values[name] for name in names if name in values}


def _prediction(row: Mapping[str, Any]) -> Prediction:
    looked = tuple(Looked(one["hypothesis"], Box(*one["box"])) for one in row.get("regions") or ())
    return Prediction(
        row["example_id"],
        row["image_id"],
        row["policy"],
        row["inference"],
        row["text"],
        tuple(row["findings"]),
        row["hypothesis"],
        Box(*row["box"]) if row["box"] else None,
        row["control"],
        looked,
    )
