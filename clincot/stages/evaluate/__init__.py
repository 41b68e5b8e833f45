"""Stage 3: examples, policies and a proposer -> predictions, results with intervals, and image-free controls.

Generation is grouped by image and stored part by part: a killed run continues, and another metric or protocol costs no
generation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from clincot import benchmarks, protocols
from clincot.errors import DataError
from clincot.progress import bar
from clincot.recipe import Recipe
from clincot.recipe.own_data import published
from clincot.records import Example
from clincot.regions.base import Proposer
from clincot.stages.evaluate import controls
from clincot.stages.evaluate.answering import Answering, PolicyUnderTest
from clincot.stages.evaluate.checks import check_names
from clincot.stages.evaluate.controls import BLACK, IMAGE_FREE, PRIOR, SHUFFLED
from clincot.stages.evaluate.inference import Answer
from clincot.stages.evaluate.interventions import INTERVENTIONS
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.probes import Flip, Probed, flipped, measured, notes
from clincot.stages.evaluate.results import Comparison, Result, Row, Scoring
from clincot.stages.evaluate.work import answering_of

__all__ = [
    "BLACK",
    "PRIOR",
    "Evaluation",
    "PolicyUnderTest",
    "Prediction",
    "Result",
    "answering_of",
    "evaluate_policies",
]
Rows = dict[Row, list[Prediction]]


@dataclass(frozen=True)
class Evaluation:
    """All rows of one benchmark and split, asked for under `protocol` and scored under all of them.

    `unreadable` maps what the benchmark calls an image to what is wrong with it; its questions are left out of every
    row. `without_region` counts, per row of region inference, the questions that fell back to a direct answer.
    `contamination` names, per policy, the test images that it was trained on (None: unknown). `notes` say what a table
    would not. `cut` says how the benchmark parts train and test, where a reader must know it.
    `unanswered` maps ids of examples to why a policy gave no text about them: they count as answered by an empty one.
    `probes` are the numbers of the recipe's probes, `flips` examples; their answers are no predictions.
    """

    benchmark: str
    protocol: str
    split: str
    results: tuple[Result, ...]
    comparisons: tuple[Comparison, ...]
    predictions: tuple[Prediction, ...]
    unreadable: dict[str, str]
    without_region: dict[Row, int]
    questions_of: dict[str, int] = field(default_factory=dict)
    contamination: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    cut: str = ""
    unanswered: dict[str, str] = field(default_factory=dict)
    probes: tuple[Probed, ...] = ()
    flips: tuple[Flip, ...] = ()


def evaluate_policies(
    recipe: Recipe,
    examples: Sequence[Example],
    train_examples: Sequence[Example],
    policies: Sequence[PolicyUnderTest],
    proposer_load: Callable[[], Proposer],
    folder: Path,
    *,
    proposer_key: str = "",
    ahead: Callable[[Answering], None] | None = None,
) -> Evaluation:
    """Answer `examples` with every policy and control of the recipe and score them under every protocol.

    `train_examples` serve the controls that `controls.reads_train` names, and the probe of templates. `proposer_key`
    names the proposer's exact weights: stored answers of another one are not used. `ahead` may compute answers before,
    by other processes.
    Raises DataError for an empty split, repeated ids and values that are no texts.
    """
    answering = answering_of(recipe, examples, proposer_load, folder, proposer_key=proposer_key)
    asked = answering.asked
    check_names([policy.name for policy in policies])
    if ahead is not None:
        ahead(answering)
    if recipe.models.resident == "one":
        answering.look_first(policies)
    rows, unreadable, unanswered = _answers(answering, policies)
    readable = [example for example in asked if example.images_id not in unreadable]
    if not readable:
        raise DataError(f"{recipe.benchmark} {recipe.evaluate.split}: no image can be read. Replace the images.")
    known = {example.id for example in readable}
    every = {row: [p for p in some if p.example_id in known] for row, some in rows.items()}
    rows = {row: some for row, some in every.items() if row.control in ("", *recipe.evaluate.controls)}
    for control in recipe.evaluate.controls:
        if control in IMAGE_FREE:
            rows |= image_free_row(control, train_examples, readable, recipe.seed)
    evaluation = scored(recipe, readable, rows, first=policies[0].name if policies else "")
    return replace(
        evaluation,
        unreadable=_by_label(unreadable, asked),
        contamination={p.name: None if p.seen is None else known_by(readable, p.seen) for p in policies},
        notes=(*_notes(recipe, answering), *notes(recipe, readable, train_examples)),
        unanswered=unanswered,
        probes=measured(recipe, readable, every, train_examples),
        flips=flipped(recipe, readable, every),
    )


def scored(recipe: Recipe, examples: Sequence[Example], rows: Mapping[Row, list[Prediction]], first: str) -> Evaluation:
    """Score rows of predictions under every protocol; `first` is the policy that the others are compared with."""
    results: list[Result] = []
    comparisons: list[Comparison] = []
    labels = protocols.chosen(recipe.evaluate.protocol, [protocols.ALL])
    for label in labels:
        scoring = Scoring(protocols.load(label), examples, recipe.evaluate.resamples, recipe.seed)
        results += scoring.results(published(recipe.benchmark), rows)
        comparisons += scoring.comparisons(rows, list(_pairs(list(rows), first)))
    questions: dict[str, int] = {}
    for example in examples:
        questions[example.image_id] = questions.get(example.image_id, 0) + 1
    return Evaluation(
        benchmark=published(recipe.benchmark),
        protocol=labels[0],
        split=recipe.evaluate.split,
        results=tuple(results),
        comparisons=tuple(comparisons),
        predictions=tuple(prediction for predictions in rows.values() for prediction in predictions),
        unreadable={},
        without_region={
            row: sum(prediction.box is None for prediction in predictions)
            for row, predictions in rows.items()
            if row.inference == "region"
        },
        questions_of=questions,
        cut=benchmarks.cut_of(recipe.benchmark),
    )


def image_free_row(control: str, train: Sequence[Example], examples: Sequence[Example], seed: int) -> Rows:
    """Return the row of an image-free control; none where it has no answer (a template without reports)."""
    texts = controls.answers(control, train, examples, seed)
    made = [
        Prediction(e.id, e.image_id, "", "", texts[e.id], (), None, None, control) for e in examples if e.id in texts
    ]
    return {Row("", "", control): made} if made else {}


def _answers(answering: Answering, policies: Sequence[PolicyUnderTest]) -> tuple[Rows, dict[str, str], dict[str, str]]:
    image_of = {example.id: example.image_id for example in answering.asked}
    rows: Rows = {}
    unreadable: dict[str, str] = {}
    unanswered: dict[str, str] = {}
    total = sum(len(group.examples) * len(ways) for group, ways in answering.work)
    with bar("answering", len(policies) * total, "questions") as advance:
        for policy in policies:
            for row, part in answering.parts(policy, advance):
                probed = row.control in INTERVENTIONS
                given = [a for a in part.answers if not (probed and a.failure)]
                rows.setdefault(row, []).extend(_prediction(row, a, image_of[a.example_id]) for a in given)
                unreadable |= part.unreadable
                unanswered |= {answer.example_id: answer.failure for answer in given if answer.failure}
    return rows, unreadable, unanswered


def known_by(examples: Sequence[Example], seen: frozenset[str]) -> tuple[str, ...]:
    """Return the ids of the primary images of those examples of which an image is among the `seen`."""
    return tuple(sorted({example.image_id for example in examples if not seen.isdisjoint(example.image_ids)}))


def _by_label(unreadable: Mapping[str, str], asked: Sequence[Example]) -> dict[str, str]:
    """Return the problems under what their benchmark calls the images."""
    labels = {example.images_id: example.image_label for example in asked}
    return {labels.get(image_id, image_id): problem for image_id, problem in unreadable.items()}


def _prediction(row: Row, answer: Answer, image_id: str) -> Prediction:
    known = {name: value for name, value in vars(answer).items() if name != "failure"}
    return Prediction(image_id=image_id, policy=row.policy, inference=row.inference, control=row.control, **known)


def _pairs(rows: Sequence[Row], first: str) -> Iterator[tuple[Row, Row, str]]:
    """Each policy's rows against every control of theirs, and against the first policy."""
    for row in rows:
        if row.control:
            continue
        for other in rows:
            own = (other.policy, other.inference) in ((row.policy, row.inference), ("", ""))
            if other.control and own:
                yield row, other, other.control
        base = Row(first, row.inference)
        if base != row and base in rows:
            yield row, base, first


def _notes(recipe: Recipe, answering: Answering) -> tuple[str, ...]:
    if SHUFFLED in recipe.evaluate.controls and len({example.image_id for example in answering.asked}) == 1:
        return ("No row of shuffled images: there is one image only.",)
    return ()
