"""The scoring rules of this project -> its protocols `clincot` and `paper`, with the versions that they had before."""

from __future__ import annotations

from clincot.protocols._measures import (
    bleu_measures,
    closed_measures,
    finding_measures,
    grounding_measures,
    open_measures,
    report_measure,
    unparsed_measure,
)
from clincot.protocols.base import CLOSED, OPEN, OURS, Measure, Protocol

FINDINGS_V1 = "uncertain-positive-v1"
NEW = "clincot-v2"


def _of_ours(rule: str, counting: str) -> tuple[Measure, ...]:
    """Return the measures of answers; `rule` decides closed answers and equality, `counting` common words."""
    listed = "" if rule == "default" else rule
    both = ((OPEN, "open_exact", rule), (CLOSED, "closed_accuracy", rule))
    return (
        *closed_measures(rule),
        unparsed_measure(listed),
        *open_measures(counting),
        Measure("open_exact", "open exact", ((OPEN, "open_exact", rule),)),
        Measure("open_exact_unordered", "open exact, any order", ((OPEN, "open_exact_unordered", listed),)),
        Measure("accuracy", "accuracy (exact / closed)", both, headline=True, subgroups=True),
    )


def _of_reports(tokens: str, rouge: str, findings: str) -> tuple[Measure, ...]:
    return (
        *bleu_measures(tokens, headline=True),
        report_measure("rougeL", "ROUGE-L", rouge),
        report_measure("meteor", "METEOR", tokens),
        # A constant report beats published text metrics (docs/benchmarks.md#image-free-controls): findings are added.
        *finding_measures(findings),
    )


def _of_paper(counting: str, rule: str, tokens: str, rouge: str) -> tuple[Measure, ...]:
    return (
        *open_measures(counting),
        *closed_measures(rule),
        *bleu_measures(tokens, headline=True),
        *bleu_measures(tokens, "individual", headline=True),
        *bleu_measures(tokens, "sentence"),
        *bleu_measures(tokens, "sentence_individual"),
        report_measure("rougeL", "ROUGE-L", rouge, headline=True),
        report_measure("meteor", "METEOR", tokens, headline=True),
        *bleu_measures("whitespace", suffix="_raw"),
        *bleu_measures("whitespace", "individual", suffix="_raw"),
        *bleu_measures("whitespace", "sentence", suffix="_raw"),
        *bleu_measures("whitespace", "sentence_individual", suffix="_raw"),
        report_measure("meteor_raw", "METEOR (raw)", "whitespace", score="meteor"),
    )


UNSTATED = (
    "the paper prints neither prompts nor tokens nor which BLEU: cumulative and individual, corpus and sentence,"
    " lower-cased words and raw text are both shown"
)
CLINCOT_V1 = Protocol(
    name="clincot",
    version=1,
    asks=OURS,
    measures=(
        *_of_ours("default", "clipped"),
        *_of_reports("wordpunct", "", FINDINGS_V1),
        *grounding_measures(),
    ),
)
CLINCOT_V2 = Protocol(
    name="clincot",
    version=2,
    asks=OURS,
    thoughts=False,
    measures=(*_of_ours(NEW, NEW), *_of_reports("unicode", "unicode", ""), *grounding_measures()),
)
PAPER_V1 = Protocol(
    name="paper", version=1, note=UNSTATED, measures=_of_paper("llava-med-v1", "default", "wordpunct", "")
)
PAPER_V2 = Protocol(
    name="paper",
    version=2,
    note=UNSTATED,
    thoughts=False,
    measures=_of_paper("paper-v2", NEW, "unicode", "unicode"),
)
