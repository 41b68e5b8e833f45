"""Answers, held-out pairs and the drawn truth -> the numbers of the learning study, each with its paired interval.

A number is a function of sums over questions, as in `clincot.metrics`; the answers of several seeds are summed first,
and the bootstrap draws images with all their questions, the same images for every row (differences are paired).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from clincot.chain.hypotheses import named_entities
from clincot.metrics import load_score
from clincot.metrics.base import Score, ratio
from clincot.objectives.collator import PairCollator
from clincot.objectives.sides import Renderer
from clincot.phantom.drawing.draw import Phantom, draw, visible
from clincot.phantom.texts.questions import finding_sentence
from clincot.phantom.texts.underreporting import shows_subtle, subtle
from clincot.recipe import Margin
from clincot.records import Example
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.results import Resampling
from clincot.stages.train.policy import open_processor
from clincot.stages.train.rows import load_rows

Terms = tuple[float, ...]
MEAN = Score(terms=lambda said, gold: (float(said == gold), 1.0), value=ratio)


@dataclass(frozen=True)
class Measure:
    """One column: `terms` of a prediction, None where it does not count; `value` maps their sums to the number."""

    name: str
    inference: str
    terms: Callable[[Prediction, Example], Terms | None]
    value: Callable[[np.ndarray], np.ndarray] = ratio


@cache
def phantom_of(image_id: str) -> Phantom:
    """Draw the radiograph again: its id is `phantom-SEED-INDEX`."""
    seed, index = image_id.split("-")[1:3]
    return draw(int(seed), int(index))


def answered(prediction: Prediction, example: Example) -> Terms | None:
    """Right or wrong, for closed and open questions."""
    if example.answer_type == "report":
        return None
    score = load_score("closed_accuracy" if example.answer_type == "closed" else "open_exact", "default")
    return score.terms(prediction.text, example.answer)


def closed(prediction: Prediction, example: Example) -> Terms | None:
    return answered(prediction, example) if example.answer_type == "closed" else None


def opened(prediction: Prediction, example: Example) -> Terms | None:
    return answered(prediction, example) if example.answer_type == "open" else None


def nodule(prediction: Prediction, example: Example) -> Terms | None:
    """Closed questions about a nodule."""
    return closed(prediction, example) if named_entities([example.question])[:1] == ("nodule",) else None


def hard(prediction: Prediction, example: Example) -> Terms | None:
    """Questions about images with a subtle finding: where the base's fault lies."""
    findings = phantom_of(example.image_id).findings
    return answered(prediction, example) if any(subtle(finding) for finding in findings) else None


def report_bleu(prediction: Prediction, example: Example) -> Terms | None:
    if example.answer_type != "report":
        return None
    return load_score("bleu_mean", "wordpunct").terms(prediction.text, example.answer)


def report_exact(prediction: Prediction, example: Example) -> Terms | None:
    return MEAN.terms(prediction.text.strip(), example.answer) if example.answer_type == "report" else None


def step_right(prediction: Prediction, example: Example) -> Terms | None:
    """Whether the step finding names exactly what the region shows."""
    if prediction.box is None or not prediction.findings:
        return None
    truth = finding_sentence(visible(phantom_of(example.image_id), prediction.box))
    return MEAN.terms(prediction.findings[0].strip(), truth)


def step_right_hard(prediction: Prediction, example: Example) -> Terms | None:
    """The same, over regions that show a subtle finding."""
    if prediction.box is None or not shows_subtle(phantom_of(example.image_id), prediction.box):
        return None
    return step_right(prediction, example)


def step_right_plain(prediction: Prediction, example: Example) -> Terms | None:
    """The same, over all other regions: what the fault did not touch should stay."""
    if prediction.box is None or shows_subtle(phantom_of(example.image_id), prediction.box):
        return None
    return step_right(prediction, example)


def pointed(prediction: Prediction, example: Example) -> Terms | None:
    """Pointing game: the region holds the finding it was proposed for, where the image has that finding."""
    phantom = phantom_of(example.image_id)
    if prediction.box is None or prediction.hypothesis not in phantom.names:
        return None
    return float(prediction.hypothesis in visible(phantom, prediction.box)), 1.0


BLEU = load_score("bleu_mean", "wordpunct").value
MEASURES = (
    Measure("answers", "region", answered),
    Measure("closed", "region", closed),
    Measure("open", "region", opened),
    Measure("nodule", "region", nodule),
    Measure("subtle", "region", hard),
    Measure("direct", "direct", answered),
    Measure("direct nodule", "direct", nodule),
    Measure("direct subtle", "direct", hard),
    Measure("steps", "region", step_right),
    Measure("steps, subtle", "region", step_right_hard),
    Measure("steps, rest", "region", step_right_plain),
    Measure("report BLEU", "region", report_bleu, BLEU),
    Measure("report exact", "region", report_exact),
    Measure("pointing", "region", pointed),
)


class Table:
    """All numbers of all rows on the same resamples of images."""

    def __init__(self, examples: Sequence[Example], resamples: int = 2000) -> None:
        self.examples = {example.id: example for example in examples}
        self.resampling = Resampling.of(examples, resamples, 0)
        self.scored: dict[tuple[str, str], tuple[float, np.ndarray]] = {}

    def add(self, row: str, predictions: Sequence[Prediction]) -> None:
        """Score a row from the predictions of all its seeds."""
        for measure in MEASURES:
            mine = [(self.examples[p.example_id], p) for p in predictions if p.inference == measure.inference]
            terms = [(e, value) for e, p in mine if (value := measure.terms(p, e)) is not None]
            found = self.resampling.score(terms, Score(lambda said, gold: (), measure.value))
            if found is not None:
                self.scored[row, measure.name] = (found.value, found.draws)

    def value(self, row: str, measure: str, against: str = "") -> tuple[float, float, float] | None:
        """Return value, low and high in percent, minus those of `against` on the same resamples; None: not asked."""
        if (row, measure) not in self.scored:
            return None
        value, draws = self.scored[row, measure]
        if against:
            other, others = self.scored[against, measure]
            value, draws = value - other, draws - others
        low, high = np.nanpercentile(draws, [2.5, 97.5])
        return 100 * value, 100 * float(low), 100 * float(high)


def reward_accuracy(base: Path, adapter: Path, rows: Path, cache: Path) -> dict[str, list[float]]:
    """Image -> whether the adapter raised the chosen text over the rejected one against the base, pair by pair.

    Every text is scored with its own crop, whatever the adapter was trained with.
    """
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText

    processor, ends, _ = open_processor(base)
    collator = PairCollator(Renderer(processor, "per_side", ends), Margin("none"))
    model = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(base), adapter).eval()
    data = load_rows([rows], cache, scores=False, reference=False)
    found: dict[str, list[float]] = {}
    for start in range(0, len(data), 16):
        some = [data[i] for i in range(start, min(start + 16, len(data)))]
        batch = collator(some)
        inputs = {k: v for k, v in batch.items() if k in ("input_ids", "attention_mask", "pixel_values")}
        with torch.inference_mode():
            gain = _logps(model, inputs, batch["completion_mask"])
            with model.disable_adapter():
                gain = gain - _logps(model, inputs, batch["completion_mask"])
        chosen, rejected = gain.chunk(2)
        for row, right in zip(some, (chosen > rejected).tolist(), strict=True):
            found.setdefault(row["example_id"].rsplit("-", 1)[0], []).append(float(right))
    return found


def _logps(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor], mask: torch.Tensor) -> torch.Tensor:
    logs = model(**inputs).logits[:, :-1].log_softmax(-1)
    tokens = logs.gather(-1, inputs["input_ids"][:, 1:, None])[..., 0]
    return (tokens * mask[:, 1:]).sum(1)
