"""A protocol's name -> what is asked and how answers are scored, frozen and versioned; results carry its label.

Rules score any answers. A protocol that prescribes its own prompts is met only by answers that were asked for that way:
tables call all others "scored under" it.
"""

from __future__ import annotations

from clincot.errors import ClincotError, did_you_mean
from clincot.protocols._measures import (
    bleu_measures,
    closed_measures,
    exact_measures,
    grounding_measures,
    open_measures,
    report_measure,
)
from clincot.protocols.base import CLOSED, OPEN, OURS, REPORT, Asking, Measure, Protocol

__all__ = ["ALL", "PROTOCOLS", "Asking", "Measure", "Protocol", "chosen", "load"]
ALL = "all"
FINDINGS_V1 = "uncertain-positive-v1"
ACCURACY = (
    (OPEN, "open_exact", "default"),
    (CLOSED, "closed_accuracy", "default"),
)
CLINCOT_V1 = Protocol(
    name="clincot",
    version=1,
    asks=OURS,
    measures=(
        *closed_measures("default"),
        Measure(
            "closed_unparsed",
            "unparsed",
            ((CLOSED, "closed_unparsed", ""),),
            golds="yes/no",
            headline=True,
            lower=True,
            marked=False,
        ),
        *open_measures("clipped"),
        Measure("open_exact", "open exact", ((OPEN, "open_exact", "default"),)),
        Measure("open_exact_unordered", "open exact, any order", ((OPEN, "open_exact_unordered", ""),)),
        Measure("accuracy", "accuracy (exact / closed)", ACCURACY, headline=True, subgroups=True),
        *bleu_measures("wordpunct", headline=True),
        report_measure("rougeL", "ROUGE-L"),
        report_measure("meteor", "METEOR", "wordpunct"),
        # A constant report beats published text metrics (benchmarks.md 4.2), so findings stand beside them.
        report_measure("chexpert_micro_f1", "finding F1", FINDINGS_V1, headline=True),
        report_measure("chexpert_macro_f1", "finding F1, macro", FINDINGS_V1),
        Measure("hallucination_rate", "invented", ((REPORT, "hallucination_rate", FINDINGS_V1),), lower=True),
        *grounding_measures(),
        Measure("omission_rate", "missed", ((REPORT, "omission_rate", FINDINGS_V1),), lower=True),
    ),
)
PAPER_V1 = Protocol(
    name="paper",
    version=1,
    note="the paper prints neither prompts nor tokens nor which BLEU: cumulative and individual, corpus and sentence,"
    " lower-cased words and raw text stand side by side",
    measures=(
        *open_measures("llava-med-v1"),
        *closed_measures("default"),
        *bleu_measures("wordpunct", headline=True),
        *bleu_measures("wordpunct", "individual", headline=True),
        *bleu_measures("wordpunct", "sentence"),
        *bleu_measures("wordpunct", "sentence_individual"),
        report_measure("rougeL", "ROUGE-L", headline=True),
        report_measure("meteor", "METEOR", "wordpunct", headline=True),
        *bleu_measures("whitespace", suffix="_raw"),
        *bleu_measures("whitespace", "individual", suffix="_raw"),
        *bleu_measures("whitespace", "sentence", suffix="_raw"),
        *bleu_measures("whitespace", "sentence_individual", suffix="_raw"),
        report_measure("meteor_raw", "METEOR (raw)", "whitespace", score="meteor"),
    ),
)
LLAVA_MED_V1 = Protocol(
    name="llava-med",
    version=1,
    asks="llava-med",
    asking=Asking(closed=" Please choose from the following two options: [yes, no]"),
    note="bug-compatible with run_eval.py; the original samples at temperature 0.2, here decoding is greedy",
    measures=(*open_measures("llava-med-v1"), *closed_measures("llava-med-v1")),
)
LLAVA_MED_BATCH_V1 = Protocol(
    name="llava-med-batch",
    version=1,
    asks="llava-med",
    asking=LLAVA_MED_V1.asking,
    note="the closed rule of run_eval_batch.py: the gold is a substring of the answer",
    measures=(*open_measures("llava-med-v1"), *closed_measures("llava-med-batch")),
)
LMMS_EVAL_V1 = Protocol(
    name="lmms-eval",
    version=1,
    asks="lmms-eval",
    asking=Asking(
        closed="\nAnswer the question using a single word or phrase.",
        open="\nAnswer the question using a single word or phrase.",
        max_new_tokens=32,
    ),
    measures=(*exact_measures("lmms-eval"), *closed_measures("lmms-eval")),
)
MEDEVALKIT_V1 = Protocol(
    name="medevalkit",
    version=1,
    asks="medevalkit",
    note="its closed rule; its prompts are not reproduced here, tokens are ours and empty reports count",
    measures=(
        *closed_measures("medevalkit"),
        *open_measures("clipped"),
        *bleu_measures("wordpunct", "sentence", headline=True),
        report_measure("meteor", "METEOR", "wordpunct", headline=True),
    ),
)
CARES_YESNO_V1 = Protocol(name="cares-yesno", version=1, measures=closed_measures("cares-yesno"))
CLINCOT_STRICT_V1 = Protocol(
    name="clincot-strict",
    version=1,
    note="the rule of the authors' repository: equality, open and closed",
    measures=(*exact_measures("clincot-strict"), *closed_measures("clincot-strict")),
)
R2GEN_V1 = Protocol(
    name="r2gen",
    version=1,
    note="R2Gen's cleaning and pycocoevalcap's BLEU and ROUGE-L; METEOR is NLTK's, the jar gives about half of it",
    measures=(
        *bleu_measures("r2gen-clean", headline=True),
        report_measure("rougeL_coco", "ROUGE-L (coco)", "r2gen-clean", headline=True),
        report_measure("rougeL", "ROUGE-L"),
        report_measure("meteor", "METEOR", "r2gen-clean", headline=True),
    ),
)
PROTOCOLS = {
    protocol.label: protocol
    for protocol in (
        CLINCOT_V1,
        PAPER_V1,
        LLAVA_MED_V1,
        LLAVA_MED_BATCH_V1,
        LMMS_EVAL_V1,
        MEDEVALKIT_V1,
        CARES_YESNO_V1,
        CLINCOT_STRICT_V1,
        R2GEN_V1,
    )
}


def load(label: str) -> Protocol:
    """Return the protocol called `label`; raises ClincotError naming the nearest known one."""
    if label not in PROTOCOLS:
        raise ClincotError(f"evaluate.protocol: {label!r} is not a protocol.{did_you_mean(label, PROTOCOLS)}")
    return PROTOCOLS[label]


def chosen(asked: str, wanted: list[str]) -> tuple[str, ...]:
    """Return the labels to show: `wanted`, `all` for every one, the protocol that was asked under for none."""
    if ALL in wanted:
        return (asked, *(label for label in PROTOCOLS if label != asked))
    return tuple(load(label).label for label in wanted) or (asked,)
