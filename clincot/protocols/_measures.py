"""A scoring rule -> the measures that several protocols have in common, under that rule."""

from __future__ import annotations

from clincot.protocols.base import CLOSED, OPEN, REPORT, Measure


def closed_measures(rule: str) -> tuple[Measure, ...]:
    score = ((CLOSED, "closed_accuracy", rule),)
    return (
        Measure("closed_accuracy", "closed accuracy", score, headline=True),
        Measure("closed_yesno_accuracy", "yes/no", score, golds="yes/no"),
        Measure("closed_other_accuracy", "other closed", score, golds="other"),
    )


def unparsed_measure(rule: str) -> Measure:
    score = ((CLOSED, "closed_unparsed", rule),)
    return Measure("closed_unparsed", "unparsed", score, golds="yes/no", headline=True, lower=True, marked=False)


def open_measures(rule: str, *, headline: bool = True) -> tuple[Measure, ...]:
    return (
        Measure("open_recall", "open recall", ((OPEN, "open_recall", rule),), headline=headline),
        Measure("open_precision", "open precision", ((OPEN, "open_precision", rule),)),
        Measure("open_f1", "open F1", ((OPEN, "open_f1", rule),)),
    )


def exact_measures(rule: str) -> tuple[Measure, ...]:
    return (Measure("open_exact", "open exact", ((OPEN, "open_exact", rule),), headline=True),)


def bleu_measures(tokens: str, reading: str = "", *, suffix: str = "", headline: bool = False) -> tuple[Measure, ...]:
    """BLEU-1..4 and their mean; `reading` is "" (cumulative), individual, sentence or sentence_individual."""
    words = f" ({' '.join([reading.replace('_', ' '), suffix[1:]]).strip()})" if reading or suffix else ""
    names = {n: f"bleu_{reading}_{n}" if reading else f"bleu{n}" for n in range(1, 5)}
    orders = (Measure(name + suffix, f"BLEU-{n}{words}", ((REPORT, name, tokens),)) for n, name in names.items())
    mean = f"bleu_{reading}_mean" if reading else "bleu_mean"
    title = f"report BLEU{words}"
    return (*orders, Measure(mean + suffix, title, ((REPORT, mean, tokens),), headline=headline))


def report_measure(name: str, title: str, rule: str = "", *, score: str = "", headline: bool = False) -> Measure:
    return Measure(name, title, ((REPORT, score or name, rule),), headline=headline)


def finding_measures(rule: str) -> tuple[Measure, ...]:
    """Findings by rules; a report that states none invents none, so what it missed belongs to what it invented."""
    return (
        report_measure("chexpert_micro_f1", "finding F1", rule, headline=True),
        report_measure("chexpert_macro_f1", "finding F1, macro", rule),
        Measure("hallucination_rate", "invented", ((REPORT, "hallucination_rate", rule),), lower=True),
        Measure("omission_rate", "missed", ((REPORT, "omission_rate", rule),), lower=True),
    )


def grounding_measures() -> tuple[Measure, ...]:
    """Where the chain looked, against the benchmark's own boxes; nobody in this literature reports it."""
    named = {"pointing_game": "pointing game", "region_iou": "region IoU", "lesion_share": "lesion share"}
    return tuple(
        Measure(name, title, ((CLOSED, name, ""),), headline=name == "pointing_game", marked=False)
        for name, title in named.items()
    )
