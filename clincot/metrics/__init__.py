"""Answers and golds -> scores in [0, 1], as `evaluate.Metric` classes and plain ones (`import evaluate` costs 6 s)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clincot.recipe.choices import choose
from clincot.recipe.plugins import Table

if TYPE_CHECKING:
    from clincot.metrics.base import Score

__all__ = ["METRICS", "SCORES", "is_yes_no", "load", "load_score"]
METRICS = {
    "open_recall": "clincot.metrics.open_recall:OpenRecall",
    "open_precision": "clincot.metrics.open_precision:OpenPrecision",
    "open_f1": "clincot.metrics.open_f1:OpenF1",
    "open_exact": "clincot.metrics.open_exact:OpenExact",
    "open_exact_unordered": "clincot.metrics.open_exact_unordered:OpenExactUnordered",
    "closed_accuracy": "clincot.metrics.closed_accuracy:ClosedAccuracy",
    "bleu": "clincot.metrics.bleu:Bleu",
    "bleu_individual": "clincot.metrics.bleu_individual:BleuIndividual",
    "bleu_sentence": "clincot.metrics.bleu_sentence:BleuSentence",
    "rougeL": "clincot.metrics.rouge_l:RougeL",
    "rougeL_coco": "clincot.metrics.rouge_l_coco:RougeLCoco",
    "meteor": "clincot.metrics.meteor:Meteor",
    "meteor_wordnet": "clincot.metrics.meteor_wordnet:MeteorWordnet",
    "chexpert_f1": "clincot.metrics.chexpert_f1:ChexpertF1",
    "hallucination_rate": "clincot.metrics.hallucination_rate:HallucinationRate",
    "omission_rate": "clincot.metrics.omission_rate:OmissionRate",
    "pointing_game": "clincot.metrics.pointing_game:PointingGame",
    "region_iou": "clincot.metrics.region_iou:RegionIou",
    "lesion_share": "clincot.metrics.lesion_share:LesionShare",
    "calibration": "clincot.metrics.calibration:Calibration",
    "chexbert_f1": "clincot.metrics.chexbert_f1:ChexbertF1",
    "radgraph_f1": "clincot.metrics.radgraph_f1:RadgraphF1",
    "ratescore": "clincot.metrics.ratescore:Ratescore",
}
# Scores of texts, the ones a protocol can name; grounding and calibration (scoring/) take other inputs.
SCORES = Table(
    "metrics",
    {
        "open_recall": "clincot.metrics.scoring.open_answers:recall",
        "open_precision": "clincot.metrics.scoring.open_answers:precision",
        "open_f1": "clincot.metrics.scoring.open_answers:f1",
        "open_exact": "clincot.metrics.scoring.open_answers:exact",
        "open_exact_unordered": "clincot.metrics.scoring.open_answers:exact_unordered",
        "open_recall_unordered": "clincot.metrics.scoring.open_answers:recall_unordered",
        "closed_accuracy": "clincot.metrics.scoring.closed:accuracy",
        "closed_unparsed": "clincot.metrics.scoring.closed:unparsed_rate",
        "bleu1": "clincot.metrics.scoring.bleu:bleu1",
        "bleu2": "clincot.metrics.scoring.bleu:bleu2",
        "bleu3": "clincot.metrics.scoring.bleu:bleu3",
        "bleu4": "clincot.metrics.scoring.bleu:bleu4",
        "bleu_mean": "clincot.metrics.scoring.bleu:bleu_mean",
        "bleu_individual_1": "clincot.metrics.scoring.bleu:individual_1",
        "bleu_individual_2": "clincot.metrics.scoring.bleu:individual_2",
        "bleu_individual_3": "clincot.metrics.scoring.bleu:individual_3",
        "bleu_individual_4": "clincot.metrics.scoring.bleu:individual_4",
        "bleu_individual_mean": "clincot.metrics.scoring.bleu:individual_mean",
        "bleu_sentence_1": "clincot.metrics.scoring.bleu:sentence_1",
        "bleu_sentence_2": "clincot.metrics.scoring.bleu:sentence_2",
        "bleu_sentence_3": "clincot.metrics.scoring.bleu:sentence_3",
        "bleu_sentence_4": "clincot.metrics.scoring.bleu:sentence_4",
        "bleu_sentence_mean": "clincot.metrics.scoring.bleu:sentence_mean",
        "bleu_sentence_individual_1": "clincot.metrics.scoring.bleu:sentence_individual_1",
        "bleu_sentence_individual_2": "clincot.metrics.scoring.bleu:sentence_individual_2",
        "bleu_sentence_individual_3": "clincot.metrics.scoring.bleu:sentence_individual_3",
        "bleu_sentence_individual_4": "clincot.metrics.scoring.bleu:sentence_individual_4",
        "bleu_sentence_individual_mean": "clincot.metrics.scoring.bleu:sentence_individual_mean",
        "rougeL": "clincot.metrics.scoring.rouge:rouge_l",
        "rougeL_coco": "clincot.metrics.scoring.rouge:rouge_l_coco",
        "meteor": "clincot.metrics.scoring.meteor:meteor",
        "meteor_wordnet": "clincot.metrics.scoring.meteor:meteor_wordnet",
        "chexpert_micro_f1": "clincot.metrics.scoring.labels:micro_f1",
        "chexpert_macro_f1": "clincot.metrics.scoring.labels:macro_f1",
        "hallucination_rate": "clincot.metrics.scoring.labels:hallucination_rate",
        "omission_rate": "clincot.metrics.scoring.labels:omission_rate",
        "report_refused": "clincot.metrics.scoring.labels:report_refused",
    },
)


def is_yes_no(gold: str, rule: str) -> bool:
    """Whether a gold is a yes or a no, as the closed rule reads golds."""
    from clincot.metrics.scoring.closed import is_yes_no as known

    return known(gold, rule)


def load(name: str) -> Any:
    """Return the `evaluate.Metric` called `name`; the same as `evaluate.load` of its file."""
    return choose(METRICS, name, "metric")()


def load_score(name: str, rule: str = "") -> Score:
    """Return the plain score called `name`, under `rule` where it knows more than one."""
    make = choose(SCORES, name, "metric")
    return make(rule) if rule else make()
