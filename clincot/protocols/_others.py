"""The scoring rules of other projects -> the protocols that carry their names, and prompts where known."""

from __future__ import annotations

from clincot.protocols._measures import bleu_measures, closed_measures, exact_measures, open_measures, report_measure
from clincot.protocols.base import CLOSED, Asking, Bilingual, Measure, Protocol

ONE_WORD = "\nAnswer the question using a single word or phrase."
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
    asking=Asking(closed=ONE_WORD, open=ONE_WORD, max_new_tokens=32),
    note="asks Chinese questions with the English prompt, which the original does not",
    measures=(*exact_measures("lmms-eval"), *closed_measures("lmms-eval")),
)
LMMS_EVAL_V2 = Protocol(
    name="lmms-eval",
    version=2,
    asks="lmms-eval-v2",
    asking=Bilingual(closed=ONE_WORD, open=ONE_WORD, max_new_tokens=32, chinese="\n请用一个词或短语回答问题。"),
    measures=(*exact_measures("lmms-eval"), *closed_measures("lmms-eval")),
)
MEDEVALKIT_V1 = Protocol(
    name="medevalkit",
    version=1,
    asks="medevalkit",
    note="its closed rule, with the first box; prompts are not reproduced, tokens are ours and empty reports count",
    measures=(
        *closed_measures("medevalkit"),
        *open_measures("clipped"),
        *bleu_measures("wordpunct", "sentence", headline=True),
        report_measure("meteor", "METEOR", "wordpunct", headline=True),
    ),
)
MEDEVALKIT_V2 = Protocol(
    name="medevalkit",
    version=2,
    asks="medevalkit",
    note="its rules for SLAKE and reports; its prompts are not reproduced here, an empty report counts as 0, METEOR is"
    " without WordNet, and the open columns have their true names (the original prints F1 as precision, precision as"
    " recall and recall as F1)",
    measures=(
        *closed_measures("medevalkit-v2"),
        *exact_measures("medevalkit-v2"),
        *open_measures("medevalkit-v2", headline=False),
        *bleu_measures("medevalkit", "sentence", headline=True),
        report_measure("meteor", "METEOR", "medevalkit", headline=True),
    ),
)
CARES_YESNO_V1 = Protocol(
    name="cares-yesno",
    version=1,
    note="any answer that is not negative counts as right where the gold is neither yes nor no",
    measures=closed_measures("cares-yesno"),
)
CARES_YESNO_V2 = Protocol(
    name="cares-yesno",
    version=2,
    note="a rule for yes/no questions: questions with other golds do not count",
    measures=(
        Measure(
            "closed_yesno_accuracy",
            "yes/no",
            ((CLOSED, "closed_accuracy", "cares-yesno"),),
            golds="yes/no",
            headline=True,
        ),
    ),
)
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
