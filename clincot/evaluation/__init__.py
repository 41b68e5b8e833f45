"""Stage 3: examples, policies and a proposer -> predictions, results with intervals, and image-free controls.

Generation is grouped by image and stored part by part: a killed run continues, and another metric costs no generation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from clincot import protocols
from clincot.errors import ClincotError, DataError
from clincot.evaluation.answering import BLACK, Answering, PolicyUnderTest, groups
from clincot.evaluation.controls import question_prior
from clincot.evaluation.inference import Answer, Settings
from clincot.evaluation.predictions import Prediction, Store
from clincot.evaluation.results import Comparison, Result, Row, Scoring
from clincot.lineage import content_key
from clincot.progress import bar
from clincot.recipe import Recipe
from clincot.records import Example
from clincot.regions.base import Proposer

PRIOR = "question_prior"
__all__ = ["BLACK", "PRIOR", "Evaluation", "PolicyUnderTest", "Prediction", "Result", "evaluate_policies"]


@dataclass(frozen=True)
class Evaluation:
    """All rows of one benchmark and split under one protocol.

    `unreadable` maps image ids to what is wrong with them; their questions are left out of every row. `without_region`
    counts, per row of region inference, the questions that fell back to a direct answer.
    """

    benchmark: str
    protocol: str
    split: str
    results: tuple[Result, ...]
    comparisons: tuple[Comparison, ...]
    predictions: tuple[Prediction, ...]
    unreadable: dict[str, str]
    without_region: dict[Row, int]


def evaluate_policies(
    recipe: Recipe,
    examples: Sequence[Example],
    train_examples: Sequence[Example],
    policies: Sequence[PolicyUnderTest],
    proposer_load: Callable[[], Proposer],
    folder: Path,
    *,
    proposer_key: str = "",
) -> Evaluation:
    """Answer `examples` with every policy and control of the recipe and score them under its protocol.

    `train_examples` serve the question prior only. `proposer_key` names the proposer's exact weights: stored answers of
    another one are not used. Raises DataError for an empty split or repeated ids.
    """
    protocol = protocols.load(recipe.evaluate.protocol)
    asked = _checked(recipe, examples, policies)
    rows, unreadable = _answers(recipe, protocol, asked, policies, (proposer_load, proposer_key), folder)
    readable = [example for example in asked if example.image_id not in unreadable]
    if not readable:
        raise DataError(f"{recipe.benchmark} {recipe.evaluate.split}: no image can be read. Replace the images.")
    if PRIOR in recipe.evaluate.controls:
        texts = question_prior(train_examples, readable)
        rows[Row("", "", PRIOR)] = [
            Prediction(e.id, e.image_id, "", "", text, (), None, None, PRIOR)
            for e, text in zip(readable, texts, strict=True)
        ]
    scoring = Scoring(protocol, readable, recipe.evaluate.resamples, recipe.seed)
    return Evaluation(
        benchmark=recipe.benchmark,
        protocol=protocol.label,
        split=recipe.evaluate.split,
        results=scoring.results(recipe.benchmark, rows),
        comparisons=scoring.comparisons(rows, _pairs(list(rows), policies)),
        predictions=tuple(prediction for predictions in rows.values() for prediction in predictions),
        unreadable=unreadable,
        without_region={
            row: sum(prediction.box is None for prediction in predictions)
            for row, predictions in rows.items()
            if row.inference == "region"
        },
    )


def _checked(recipe: Recipe, examples: Sequence[Example], policies: Sequence[PolicyUnderTest]) -> list[Example]:
    """Return the examples of the first `evaluate.max_images` images (0: all)."""
    where = f"{recipe.benchmark} {recipe.evaluate.split}"
    if not examples:
        raise DataError(f"{where}: has no examples. Choose another split with --set evaluate.split=NAME.")
    ids = [example.id for example in examples]
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise DataError(f"{where}: the id {twice!r} occurs twice. Give every example its own id.")
    names = [policy.name for policy in policies]
    if len(set(names)) < len(names):
        raise ClincotError(f"evaluate: two policies are called the same ({', '.join(names)}). Name them apart.")
    kept = dict.fromkeys(example.image_id for example in examples)
    if recipe.evaluate.max_images:
        kept = dict.fromkeys(islice(kept, recipe.evaluate.max_images))
    return [example for example in examples if example.image_id in kept]


def _answers(
    recipe: Recipe,
    protocol: protocols.Protocol,
    asked: Sequence[Example],
    policies: Sequence[PolicyUnderTest],
    proposer: tuple[Callable[[], Proposer], str],
    folder: Path,
) -> tuple[dict[Row, list[Prediction]], dict[str, str]]:
    settings = Settings.of(recipe)
    prompts_of = (protocol.finding_instruction, protocol.region_instruction, protocol.direct_instruction)
    controls = ("", *(name for name in recipe.evaluate.controls if name == BLACK))
    answering = Answering(
        settings=settings,
        store=Store(folder / "parts", content_key(prompts_of, repr(settings), proposer[1])),
        groups=tuple(groups(asked, recipe.build.unit_images)),
        ways=tuple((inference, control) for control in controls for inference in recipe.evaluate.inference),
        proposer=cache(proposer[0]),
    )
    image_of = {example.id: example.image_id for example in asked}
    rows: dict[Row, list[Prediction]] = {}
    unreadable: dict[str, str] = {}
    with bar("answering", len(policies) * len(answering.ways) * len(asked), "questions") as advance:
        for policy in policies:
            for row, part in answering.parts(policy, advance):
                rows.setdefault(row, []).extend(_prediction(row, a, image_of[a.example_id]) for a in part.answers)
                unreadable |= part.unreadable
    return rows, unreadable


def _prediction(row: Row, answer: Answer, image_id: str) -> Prediction:
    known = asdict(answer)
    known["box"] = answer.box
    return Prediction(image_id=image_id, policy=row.policy, inference=row.inference, control=row.control, **known)


def _pairs(rows: Sequence[Row], policies: Sequence[PolicyUnderTest]) -> list[tuple[Row, Row, str]]:
    """Each policy's rows against their black-image control and against the first policy."""
    pairs = []
    for row in rows:
        if row.control:
            continue
        dark = Row(row.policy, row.inference, BLACK)
        first = Row(policies[0].name, row.inference)
        pairs += [(row, dark, BLACK)] if dark in rows else []
        pairs += [(row, first, first.policy)] if first != row else []
    return pairs
