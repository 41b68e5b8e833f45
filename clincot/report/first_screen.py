"""An evaluation -> what a person reads first: base and rounds with their paired difference, and a sentence about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from clincot import protocols
from clincot.protocols import Measure
from clincot.report.terminal import table_lines, wrapped
from clincot.stages.evaluate import BLACK, PRIOR, Evaluation
from clincot.stages.evaluate.marks import UNDECIDED, against_controls
from clincot.stages.evaluate.results import Comparison, Result, Row
from clincot.stages.evaluate.tables import Grid, title

TERMS = {
    "accuracy": "open answers equal to the gold answer, closed ones with the right choice",
    "closed_accuracy": "closed questions answered with the right choice",
    "open_recall": "words of the gold answer that the answer has",
    "open_exact": "open answers equal to the gold answer",
    "bleu_mean": "word sequences that report and reference share, BLEU-1 to 4",
    "rougeL": "longest common word sequence of report and reference",
    "meteor": "matched words of report and reference, in order",
    "chexpert_micro_f1": "findings that report and reference share",
    "pointing_game": "regions whose centre lies in a true region",
}
WITHOUT_IMAGE = {BLACK: "no image", PRIOR: "question only"}
CONTROL_TERMS = {
    BLACK: "no image: the newest policy's score when it sees a black image.",
    PRIOR: "question only: the score of the most frequent answer to the question in the train split.",
}


@dataclass(frozen=True)
class Screen:
    """What `clincot evaluate` shows: numbers in percent, differences in points with 95 % intervals over images."""

    heading: str
    grid: Grid
    sentences: tuple[str, ...]
    terms: tuple[str, ...]

    def lines(self, width: int) -> list[str]:
        """Return its lines, none wider than `width` columns."""
        shown = [*wrapped(self.heading, width), "", *table_lines(self._within(width), width), ""]
        for sentence in self.sentences:
            shown += wrapped(sentence, width)
        return [*shown, "", *(part for term in self.terms for part in wrapped(term, width))]

    def _within(self, width: int) -> Grid:
        """Return the grid without the columns of rounds in between, the oldest first, until it fits or none is left."""
        header, lines = self.grid
        spare = [i for i, name in enumerate(header) if name.startswith("round") and i < self._newest()]
        while spare and not _fits(header, lines, width):
            gone = spare.pop(0)
            header, *lines = ([*line[:gone], *line[gone + 1 :]] for line in [header, *lines])
            spare = [i - 1 for i in spare]
        return header, lines

    def _newest(self) -> int:
        rounds = [i for i, name in enumerate(self.grid[0]) if name.startswith("round") and " - " not in name]
        return rounds[-1] if rounds else 0


def first_screen(evaluation: Evaluation) -> Screen | None:
    """Return the screen under the evaluation's own protocol; None where no policy was evaluated or nothing counted."""
    found = {(r.row, r.metric): r for r in evaluation.results if r.protocol == evaluation.protocol and not r.by}
    rows = _rows(evaluation)
    measures = [m for m in _headline(evaluation.protocol) if _counts(found.get((rows[-1], m.name)))] if rows else []
    if not measures:
        return None
    control = _control(found, rows[-1], measures[0])
    differences = _differences(evaluation, rows)
    header = ["", *(_short(row.policy) for row in rows)]
    lines = [[_name(m), *(_percent(found.get((row, m.name))) for row in rows)] for m in measures]
    if control:
        header.append(WITHOUT_IMAGE[control.control])
        for line, m in zip(lines, measures, strict=True):
            line.append(_percent(found.get((control, m.name))))
    if len(rows) > 1:
        header.append(f"{_short(rows[-1].policy)} - {_short(rows[0].policy)}")
        for line, m in zip(lines, measures, strict=True):
            line.append(_difference(differences.get(m.name)))
    asked = sum(evaluation.questions_of.values())
    images = f" of {len(evaluation.questions_of)} images" if asked else ""
    way = {"region": "asked with a region", "direct": "asked directly"}.get(rows[-1].inference, rows[-1].inference)
    heading = f"{title(evaluation, evaluation.protocol)}: {asked} questions{images}, {way}"
    return Screen(
        heading,
        (header, lines),
        _sentences(evaluation, rows, measures[0], found, differences.get(measures[0].name), control),
        _terms(measures, control, list(differences.values())),
    )


def _rows(evaluation: Evaluation) -> list[Row]:
    """Return the rows of all policies under the inference that the newest one was asked by first."""
    rows = [row for row in dict.fromkeys(Row(p.policy, p.inference, p.control) for p in evaluation.predictions)]
    own = [row for row in rows if row.policy and not row.control]
    inferences = [row.inference for row in own if row.policy == own[-1].policy]
    return [row for row in own if row.inference == inferences[0]] if own else []


def _headline(label: str) -> list[Measure]:
    """Return the headline measures without mere counts, the one of all answers first."""
    measures = [m for m in protocols.load(label).measures if m.headline and (m.marked or m.name in TERMS)]
    return sorted(measures, key=lambda m: m.name != "accuracy")


def _control(found: dict[tuple[Row, str], Result], newest: Row, first: Measure) -> Row | None:
    """Return the row of the newest policy without the image, or of the question alone."""
    choices = (Row(newest.policy, newest.inference, BLACK), Row("", "", PRIOR))
    return next((row for row in choices if _counts(found.get((row, first.name)))), None)


def _differences(evaluation: Evaluation, rows: Sequence[Row]) -> dict[str, Comparison]:
    """Return, by measure, the newest policy minus the first one on the same resamples."""
    place = (evaluation.protocol, rows[-1].policy, rows[-1].inference, rows[0].policy)
    return {
        c.metric: c
        for c in evaluation.comparisons
        if (c.protocol, c.policy, c.inference, c.against) == place and math.isfinite(c.value)
    }


def _sentences(
    evaluation: Evaluation,
    rows: Sequence[Row],
    measure: Measure,
    found: dict[tuple[Row, str], Result],
    difference: Comparison | None,
    control: Row | None,
) -> tuple[str, ...]:
    newest, images = found[(rows[-1], measure.name)], len(evaluation.questions_of)
    where = f"on {newest.n} questions" + (f" of {images} images" if images else "")
    without = found[(control, measure.name)] if control else None
    ending = ""
    if without:
        ending = f"; {'without the image' if without.control == BLACK else 'from the question alone'} it would score"
        ending += f" {100 * without.value:.1f}"
    said = [f"{_compared(rows, measure, newest, difference)} {where}{ending}."]
    against = against_controls(evaluation, evaluation.protocol).get((rows[-1], measure.name))
    if against and (against.undecided or against.below):
        said.append("It is not shown to be better than a control that does not see the image (--full names it).")
    return tuple(said)


def _compared(rows: Sequence[Row], measure: Measure, newest: Result, c: Comparison | None) -> str:
    name, first = _long(rows[-1].policy), _long(rows[0].policy)
    name = name[0].upper() + name[1:]
    if len(rows) == 1 or c is None:
        return f"{name} scores {100 * newest.value:.1f} {_interval(newest, '.1f')} in {_name(measure)}"
    interval = _interval(c)
    what = "answers" if measure.name == "accuracy" else "scores"
    ending = "" if measure.name == "accuracy" else f" in {_name(measure)}"
    if c.undecided:
        return f"{name} is not shown to differ from {first}: {_points(c.value)} points {interval}{ending}"
    better = (c.value < 0) == measure.lower
    return (
        f"{name} {what} {abs(100 * c.value):.1f} points {'better' if better else 'worse'} than {first}"
        f" {interval}{ending}"
    )


def _terms(measures: Sequence[Measure], control: Row | None, differences: Sequence[Comparison]) -> tuple[str, ...]:
    lines = [f"{_name(m)}: {TERMS[m.name]}." for m in measures if m.name in TERMS]
    lines += [CONTROL_TERMS[control.control]] if control else []
    lines.append("Numbers are percent; differences are points, with 95 % intervals over images.")
    if any(c.undecided for c in differences):
        lines.append(f"{UNDECIDED}: the interval includes 0.")
    return tuple(lines)


def _name(measure: Measure) -> str:
    return "accuracy" if measure.name == "accuracy" else measure.title


def _counts(result: Result | None) -> bool:
    return result is not None and math.isfinite(result.value)


def _percent(result: Result | None) -> str:
    return f"{100 * result.value:.1f}" if result and math.isfinite(result.value) else "–"


def _difference(c: Comparison | None) -> str:
    return f"{_points(c.value)} {_interval(c)}{UNDECIDED if c.undecided else ''}" if c else "–"


def _interval(of: Result | Comparison, form: str = "+.1f") -> str:
    if not (math.isfinite(of.low) and math.isfinite(of.high)):
        return "(one image: no interval)"
    return f"({100 * of.low:{form}} to {100 * of.high:{form}})"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"


def _short(policy: str) -> str:
    return policy.replace("-", " ", 1)


def _long(policy: str) -> str:
    return f"the {policy}" if policy in ("base", "sft") else _short(policy)


def _fits(header: list[str], lines: list[list[str]], width: int) -> bool:
    return all(len(line) <= width for line in table_lines((header, lines), 0))
