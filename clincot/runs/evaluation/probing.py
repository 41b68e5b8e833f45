"""A run and its evaluation -> the numbers of probes that need more than answers: stored rounds, and judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from clincot.judges.base import Rating
from clincot.judges.cache import CachedJudge, Recorded, load_known, write
from clincot.progress import bar
from clincot.recipe.own_data import published
from clincot.records import Candidate, Example
from clincot.rows.stored_candidates import candidate_of
from clincot.runs import releases
from clincot.runs.evaluation.made import Made
from clincot.runs.models.loading import load_judges
from clincot.runs.releases import tag_of
from clincot.runs.rounds.restore import full_rows
from clincot.runs.run import Run
from clincot.stages.evaluate import Evaluation
from clincot.stages.evaluate.probes import Probed, judged, length
from clincot.stages.evaluate.results import Resampling

AT_ONCE = 256  # ratings between two steps of the bar


def with_probes(run: Run, made: Made, evaluation: Evaluation) -> Evaluation:
    """Return the evaluation with what the probes `length` and `judge` measure of rounds and by judges."""
    probes = run.recipe.evaluate.probes
    if "length" in probes:
        evaluation = _with_lengths(run, made, evaluation)
    return _with_judges(run, made, evaluation) if "judge" in probes else evaluation


def _with_lengths(run: Run, made: Made, evaluation: Evaluation) -> Evaluation:
    found: list[Probed] = []
    notes: list[str] = []
    asked = run.recipe.evaluate
    for round_ in (adapter.round for adapter in made.chosen if adapter.round):
        known = {example.id: example for example in made.splits.train}
        name, pairs, candidates, note = _stored(run, round_)
        found += length.of_pairs(name, pairs, known, asked.resamples, run.recipe.seed)
        rated = list(length.of_judges(name, candidates, known, asked.resamples, run.recipe.seed))
        if candidates and not rated:
            note = f"Judges and length of {name}: no two equally true answers to one question differ in length."
        found += rated
        notes += [note] if note else []
    return replace(evaluation, probes=(*evaluation.probes, *found), notes=(*evaluation.notes, *notes))


def _stored(run: Run, round_: int) -> tuple[str, list[length.Sides], list[Candidate], str]:
    """Return the tag of a round, its pairs and its candidates, and what is lacking."""
    tag = tag_of(round_)
    at = releases.find(run, "dataset", run.preferences_repo, round_)
    if at is None:
        return tag, [], [], f"Lengths of {tag}: its pairs are not at hand."
    hub, pin = at
    lineage = releases.read_lineage(hub, pin, round_)
    folder = hub.snapshot(pin, [f"{tag}/*.parquet", f"{tag}-candidates/*.parquet"])
    hidden = bool(lineage.facts.get("withheld"))
    files = full_rows(run, hub, pin, lineage) if hidden else sorted((folder / tag).glob("*.parquet"))
    pairs = [length.Sides(**row) for row in _read(files, ["example_id", "chosen", "rejected"])]
    if hidden:  # a reference text is a pointer there, which has another length
        return tag, pairs, [], f"Judges and length of {tag}: its candidates are redacted."
    return tag, pairs, [*map(candidate_of, _read(sorted((folder / f"{tag}-candidates").glob("*.parquet"))))], ""


def _read(files: Sequence[Path], columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    for path in files:
        yield from pq.read_table(path, columns=columns).to_pylist()


def _with_judges(run: Run, made: Made, evaluation: Evaluation) -> Evaluation:
    asked, recipe = {example.id: example for example in made.splits.asked}, run.recipe
    rows = judged.open_rows(asked, evaluation.predictions)
    wanted = list(dict.fromkeys((name, text) for answers in rows.values() for name, text in answers.items()))
    if not wanted:
        return replace(evaluation, notes=(*evaluation.notes, "No judge was asked: there is no open question."))
    opinions, notes = _opinions(run, asked, wanted)
    # The images of the whole table, so that its rows and these are drawn alike.
    shown = [example for example in asked.values() if example.image_id in evaluation.questions_of]
    resampling = Resampling.of(shown, recipe.evaluate.resamples, recipe.seed)
    found = judged.Judged(asked, rows, judged.with_mean(opinions), resampling, recipe.seed)
    return replace(
        evaluation,
        results=(*evaluation.results, *found.results(published(recipe.benchmark))),
        comparisons=(*evaluation.comparisons, *found.comparisons()),
        probes=(*evaluation.probes, *found.probed()),
        notes=(*evaluation.notes, *notes),
    )


def _opinions(
    run: Run, asked: Mapping[str, Example], wanted: Sequence[tuple[str, str]]
) -> tuple[dict[str, dict[tuple[str, str], float]], list[str]]:
    """Return judge -> (example id, answer) -> rating, and how many could not be read; what was rated is kept."""
    folder = run.work("answers") / "ratings"
    known = load_known(folder, "judge")
    judges = load_judges(run, known)
    requests = [judged.request_of(asked[name], text) for name, text in wanted]
    opinions: dict[str, dict[tuple[str, str], float]] = {}
    notes = []
    with bar("rating open answers", len(requests) * len(judges), "answers") as advance:
        for number, judge in enumerate(judges, 1):
            name = f"{judge.name} ({number})" if judge.name in opinions else judge.name
            values = []
            for start in range(0, len(requests), AT_ONCE):
                some = requests[start : start + AT_ONCE]
                values += [rating.value for rating in judge.rate(some)]
                advance(len(some))
                known = _kept(folder, known, judge)
            opinions[name] = {key: v for key, v in zip(wanted, values, strict=True) if v is not None}
            if unread := values.count(None):
                notes.append(f"Judge {name}: {unread} of {len(values)} open answers have no rating that can be read.")
    return opinions, notes


def _kept(folder: Path, known: Mapping[str, Rating], judge: CachedJudge) -> dict[str, Rating]:
    """Write all ratings so far, so that a killed evaluation asks no judge twice; return them."""
    every = {**known, **judge.fresh}
    if len(every) > len(known):
        write(folder, "judge", (Recorded(key, rating) for key, rating in every.items()))
    return every
