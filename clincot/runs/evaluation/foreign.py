"""A run and a file of answers made elsewhere -> their results on the run's benchmark, without any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clincot import benchmarks
from clincot.errors import DataError
from clincot.images import grid_of
from clincot.records import Box, Example
from clincot.runs.evaluation.answer_file import Lines, box_of, read_lines
from clincot.runs.evaluation.controls import LocalResults, local_results
from clincot.runs.evaluation.evaluate import Splits
from clincot.runs.evaluation.question_ids import Questions
from clincot.runs.models.pins import benchmark_pin
from clincot.runs.redistribution.redacted import References
from clincot.runs.run import Run
from clincot.stages.evaluate import controls, image_free_row, scored
from clincot.stages.evaluate.checks import checked
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.results import Row

Rows = dict[Row, list[Prediction]]


def evaluate_file(run: Run, path: Path) -> LocalResults:
    """Score a file of answers under every protocol, with the image-free controls of the recipe.

    Columns: example_id and text; policy, inference, control (which row of the table), hypothesis and box (where it
    looked), question and revision (checked against the benchmark) where the file has them. So predictions that were
    pushed can be scored again. Raises DataError naming what cannot be scored.
    """
    lines = read_lines(path)
    recipe = run.recipe
    benchmark = benchmarks.load(recipe.benchmark)
    pin = benchmark_pin(run.target, benchmark, recipe.benchmark_revision)
    splits = Splits(run, pin)
    where = f"{recipe.benchmark} {recipe.evaluate.split}"
    every = Questions.of(checked(splits.asked, where, 0), where)
    rows = _rows(path, lines, every, pin.sha)
    first = checked(splits.asked, where, recipe.evaluate.max_images)
    asked = _answered(path, rows, list(every.by_id.values()), first, where)
    if not benchmark.source.redistributable:
        rows = _shown(rows, References.of(splits.known))
    train = splits.for_controls
    for name in recipe.evaluate.controls:
        if name in controls.IMAGE_FREE:
            rows |= image_free_row(name, train, asked, recipe.seed)
    named = list(dict.fromkeys(row.policy for row in rows if row.policy))
    note = f"Answers of {path.name}; that they were asked as {recipe.evaluate.protocol} is what evaluate.protocol says."
    evaluation = scored(recipe, asked, rows, first=named[0])
    evaluation = replace(evaluation, contamination=dict.fromkeys(named), notes=(note,))
    return local_results(run, evaluation, asked, run.work("predictions", path.stem), f"{recipe.benchmark}, {path.name}")


def _rows(path: Path, lines: Lines, questions: Questions, sha: str) -> Rows:
    """Read and check every line; image-free controls of the file are left out, they are made anew."""
    rows: dict[Row, dict[str, Prediction]] = {}
    for place, line in lines:
        prediction = _prediction(place, line, questions, sha, path.stem)
        row = Row(prediction.policy, prediction.inference, prediction.control)
        some = rows.setdefault(row, {})
        if prediction.example_id in some:
            raise DataError(f"{place}: answers {prediction.example_id!r} a second time. Keep one answer.")
        some[prediction.example_id] = prediction
    kept = {row: list(some.values()) for row, some in rows.items() if row.control not in controls.IMAGE_FREE}
    if not any(not row.control for row in kept):
        raise DataError(f"{path}: holds no answers of a policy. Give one line per question with example_id and text.")
    return kept


def _prediction(place: str, line: dict[str, Any], questions: Questions, sha: str, name: str) -> Prediction:
    example = questions.find(line["example_id"])
    if example is None:
        raise DataError(
            f"{place}: {line['example_id']!r} is no question of {questions.where} at {sha[:12]}, whose questions are"
            f" called like {questions.form}. Leave it out, or name its benchmark and split."
        )
    given_and_ours = {"question": (line.get("question"), example.question), "revision": (line.get("revision"), sha)}
    for column, (given, ours) in given_and_ours.items():
        if given is not None and _folded(given) != _folded(ours):
            raise DataError(
                f"{place}: its {column} is {given!r}, the benchmark's {ours!r}: predictions of another revision."
                " Answer this one."
            )
    policy, inference, control = (str(line.get(column) or "") for column in ("policy", "inference", "control"))
    called = policy if policy or control else name
    named = line.get("hypothesis")
    box = box_of(place, line)
    _check_inside(place, box, example)
    found = (None if named is None else str(named), box)
    return Prediction(example.id, example.image_id, called, inference, line["text"], (), *found, control)


def _check_inside(place: str, box: Box | None, example: Example) -> None:
    """Raise DataError for a box that reaches beyond the image as it is shown; one turned by EXIF may be either way."""
    grid = None if box is None else grid_of(example.encoded())
    if box is None or grid is None:
        return
    width, height = grid.shown
    if not any(box.right <= w and box.lower <= h for w, h in ((width, height), (height, width))):
        raise DataError(
            f"{place}: the box {list(box)} reaches beyond its image of {width} x {height} pixels. Give pixels of the"
            " image as it is published."
        )


def _folded(value: object) -> str:
    """Return the value's text blind to case and spacing, which tools change on the way."""
    return " ".join(str(value).split()).casefold()


def _answered(
    path: Path, rows: Rows, every: Sequence[Example], first: Sequence[Example], where: str
) -> Sequence[Example]:
    """Return the examples that all rows answer: the whole split, or exactly the first `evaluate.max_images` images'."""
    answers = [{prediction.example_id for prediction in some} for some in rows.values()]
    asked = first if all(found <= {example.id for example in first} for found in answers) else every
    for row, found in zip(rows, answers, strict=True):
        missing = [example.id for example in asked if example.id not in found]
        if missing:
            called = "/".join(part for part in row if part)
            raise DataError(
                f"{path}: {called} leaves {len(missing)} of {len(asked)} questions of {where} unanswered,"
                f" {missing[0]!r} first. Answer all of them (an empty text counts as wrong), or exactly those of the"
                " first evaluate.max_images images."
            )
    return asked


def _shown(rows: Rows, references: References) -> Rows:
    """Put reference texts back where predictions of a benchmark that may not be passed on hold pointers to them."""
    return {row: [replace(p, text=references.show(p.text)) for p in some] for row, some in rows.items()}
