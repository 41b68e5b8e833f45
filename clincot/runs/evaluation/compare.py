"""Two rows of results, of a run or of results repositories -> their values, paired differences and changed answers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq

from clincot import protocols
from clincot.errors import ClincotError, DataError, did_you_mean
from clincot.hub import Hub, parse_lineages
from clincot.hub.round_files import is_lineage
from clincot.records import Box, Example
from clincot.records.lineage import Lineage, Pin
from clincot.runs import releases
from clincot.runs.models import adapters
from clincot.runs.models.pins import examples_at
from clincot.runs.redistribution.redacted import References
from clincot.runs.releases.tags import name_of
from clincot.runs.run import Run
from clincot.stages.evaluate import Prediction
from clincot.stages.evaluate.changes import Change, changes
from clincot.stages.evaluate.inference import Looked
from clincot.stages.evaluate.marks import row_name
from clincot.stages.evaluate.results import Comparison, Result, Row, Scoring
from clincot.stages.evaluate.tables import cell, difference

REDACTED = ("question_prior", "random_report")  # train texts, which results of such data leave empty


@dataclass(frozen=True)
class Side:
    """One row of a results repository: its predictions, and the pinned benchmark and split that it answers."""

    name: str
    row: Row
    predictions: tuple[Prediction, ...]
    benchmark: str
    data: Pin
    split: str


@dataclass(frozen=True)
class Compared:
    """Two rows on the questions that both answer: `values` of each, differences, changed answers."""

    first: Side
    second: Side
    labels: tuple[str, ...]
    values: tuple[tuple[Result, ...], tuple[Result, ...]]
    differences: tuple[Comparison, ...]
    changed: tuple[Change, ...]
    examples: dict[str, Example]


def compare_rows(run: Run, first: str, second: str, wanted: Sequence[str]) -> Compared:
    """Compare `second` minus `first`; a name is POLICY[/INFERENCE[/CONTROL]] or REPO@REVISION[:ROW].

    Raises DataError when the rows answer other questions: another benchmark, split or commit of it.
    """
    sides = (read_side(run, first), read_side(run, second))
    _check_same(*sides)
    labels = protocols.chosen(run.recipe.evaluate.protocol, list(wanted))
    every = _examples(run, sides[0])
    kept = _common(sides, every)
    one, two = (replace(side, predictions=tuple(p for p in side.predictions if p.example_id in kept)) for side in sides)
    rows = {Row("first", ""): one.predictions, Row("second", ""): two.predictions}
    values: tuple[list[Result], list[Result]] = ([], [])
    differences: list[Comparison] = []
    for label in labels:
        asked = run.recipe.evaluate
        scoring = Scoring(protocols.load(label), list(kept.values()), asked.resamples, run.recipe.seed)
        for found in scoring.results(one.benchmark, rows):
            if not found.by:
                values[found.policy == "second"].append(found)
        differences += scoring.comparisons(rows, [(Row("second", ""), Row("first", ""), "first")])
    changed = tuple(changes(kept, one.predictions, two.predictions))
    return Compared(one, two, labels, (tuple(values[0]), tuple(values[1])), tuple(differences), changed, kept)


def comparison_lines(compared: Compared, label: str) -> Iterator[list[str]]:
    """Yield a line per measure of the protocol: its title, both values with intervals, the difference, the count."""
    one, two = ({r.metric: r for r in found if r.protocol == label} for found in compared.values)
    for c in compared.differences:
        if c.protocol == label and math.isfinite(c.value):
            title = next(m.title for m in protocols.load(label).measures if m.name == c.metric)
            yield [title, cell(one[c.metric]), cell(two[c.metric]), difference(c), str(c.n)]


def read_side(run: Run, name: str) -> Side:
    """Read the row that `name` names."""
    hub, pin, wanted = _place(run, name)
    round_, lineage = _lineage(hub, pin)
    config = f"{round_}-predictions"
    folder = hub.snapshot(pin, [f"{config}/*.parquet"]) / config
    split = str(lineage.facts["split"])
    predictions = read_predictions(sorted(folder.glob("*.parquet")), lineage.benchmark)
    row = _row(wanted, predictions, name)
    mine = tuple(p for p in predictions if Row(p.policy, p.inference, p.control) == row)
    if lineage.facts.get("withheld") and row.control in REDACTED:
        raise DataError(
            f"{name}: its texts are train answers, which these results leave out. Use `evaluate --control`."
        )
    if lineage.facts.get("withheld"):
        mine = _shown(run, lineage, split, mine)
    return Side(f"{pin} {row_name(row)}", row, mine, lineage.benchmark, lineage.pins["benchmark"], split)


def _place(run: Run, name: str) -> tuple[Hub, Pin, str]:
    """Return the Hub, pinned results, and the row that is wanted of them ("": none given)."""
    if "@" not in name:
        newest = adapters.all_of(run)
        rounds = range(newest[-1].round if newest else 0, -1, -1)  # the newest may not be evaluated yet
        existing = (releases.find(run, "dataset", run.results_repo, round_) for round_ in rounds)
        found = next(filter(None, existing), None)
        if found is None:
            raise ClincotError(f"{run.results_repo}: no results yet. Run `clincot evaluate --name {run.name}` first.")
        hub, pin = found
        return hub, pin, name
    repo, _, rest = name.partition("@")
    revision, _, row = rest.partition(":")
    hub = run.store if run.store.exists("dataset", repo) else run.target
    pin = hub.resolve("dataset", repo, revision)
    return hub, pin, row


def _lineage(hub: Hub, pin: Pin) -> tuple[str, Lineage]:
    """Return name and lineage of the round that the revision is a version of, else of the newest one there."""
    held = {path: hub.read(pin, path) for path in hub.list_files(pin) if is_lineage(path)}
    if not held:
        raise DataError(f"{pin}: is no results repository, it has no lineage. Name one that `evaluate --push` made.")
    rounds = parse_lineages(held)
    round_ = name_of(pin.revision)
    round_ = round_ if round_ in rounds else list(rounds)[-1]
    lineage = rounds[round_]
    if lineage.stage != "evaluate":
        raise DataError(f"{pin}: was made by `{lineage.stage}` and holds no results. Name its results repository.")
    return round_, lineage


def read_predictions(paths: Sequence[Path], benchmark: str) -> list[Prediction]:
    """Read predictions; raises DataError for missing columns, values that are no texts, and second answers."""
    found: list[Prediction] = []
    seen: set[tuple[str, ...]] = set()
    for path in paths:
        table = pq.read_table(path)
        needed = [name for name in Prediction.__dataclass_fields__ if name != "regions"]  # new: older files lack it
        missing = [name for name in needed if name not in table.column_names]
        if missing:
            raise DataError(f"{path}: lacks the column {', '.join(missing)}. Evaluate again with this version.")
        for row in table.to_pylist():
            key = (row["policy"], row["inference"], row["control"], row["example_id"])
            if key in seen:
                raise DataError(f"{path}: answers {row['example_id']!r} twice in one row. Keep one answer.")
            if not isinstance(row["text"], str):
                raise DataError(
                    f"{path}: the answer to {row['example_id']!r} is {row['text']!r}, no text. Correct the row."
                )
            seen.add(key)
            box = Box(*row["box"]) if row["box"] else None
            regions = tuple(Looked(one["hypothesis"], Box(*one["box"])) for one in row.get("regions") or ())
            findings = tuple(row["findings"] or ())
            found.append(Prediction(**(row | {"findings": findings, "box": box, "regions": regions})))
    if not found:
        raise DataError(f"{benchmark}: these results hold no predictions. Evaluate again.")
    return found


def _row(wanted: str, predictions: Sequence[Prediction], name: str) -> Row:
    """Return the row called `wanted`; without policy the last one, without inference the first that it answered by."""
    rows = list(dict.fromkeys(Row(p.policy, p.inference, p.control) for p in predictions))
    policy, inference, control = (*wanted.split("/"), "", "")[:3]
    if not wanted:
        policy = [row.policy for row in rows if not row.control][-1]
    fits = [
        row
        for row in rows
        if (row.policy == policy and inference in ("", row.inference) and row.control == control)
        or (not row.policy and row.control == policy)
    ]
    if not fits:
        known = ["/".join(part for part in row if part) for row in rows]
        raise ClincotError(f"{name}: these results have no such row.{did_you_mean(wanted, known)}")
    return fits[0]


def _check_same(first: Side, second: Side) -> None:
    if (first.benchmark, first.split) != (second.benchmark, second.split):
        raise DataError(
            f"compare: {first.name} answers {first.benchmark} {first.split}, {second.name} answers {second.benchmark}"
            f" {second.split}. Compare rows of one benchmark and split."
        )
    if first.data.sha != second.data.sha:
        raise DataError(
            f"compare: {first.name} answers {first.data}, {second.name} {second.data}: another revision of the"
            " benchmark may ask or expect something else. Evaluate both on the same commit."
        )


def _examples(run: Run, side: Side) -> dict[str, Example]:
    found = examples_at(run.target, run.benchmark(side.benchmark), side.data, side.split)
    return {example.id: example for example in found}


def _common(sides: tuple[Side, Side], examples: dict[str, Example]) -> dict[str, Example]:
    asked = [{p.example_id for p in side.predictions} for side in sides]
    strangers = sorted((asked[0] | asked[1]) - examples.keys())
    if strangers:
        raise DataError(f"compare: {strangers[0]!r} is no question of {sides[0].data}. Evaluate again.")
    common = {name: example for name, example in examples.items() if name in asked[0] and name in asked[1]}
    if not common:
        raise DataError("compare: the two rows have no question in common. Evaluate both on the same images.")
    return common


def _shown(run: Run, lineage: Lineage, split: str, predictions: Sequence[Prediction]) -> tuple[Prediction, ...]:
    """Put reference texts back where the results hold pointers to them, from one's own copy of the benchmark."""
    benchmark, pin = run.benchmark(lineage.benchmark), lineage.pins["benchmark"]
    read = (examples_at(run.target, benchmark, pin, name) for name in ("train", split))
    references = References.of([example for examples in read for example in examples])
    return tuple(replace(p, text=references.show(p.text)) for p in predictions)
