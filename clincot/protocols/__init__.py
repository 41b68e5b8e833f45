"""Questions and answers -> results: what is asked and how answers are scored, under frozen and versioned names.

Rules score any answers. A protocol that prescribes its own prompts is met only by answers that were asked for that way:
tables call all others "scored under" it.
"""

from __future__ import annotations

from clincot.errors import ClincotError, did_you_mean
from clincot.metrics import load_score
from clincot.protocols._judged import CLINCOT_JUDGE_V1
from clincot.protocols._others import (
    CARES_YESNO_V1,
    CARES_YESNO_V2,
    CLINCOT_STRICT_V1,
    LLAVA_MED_BATCH_V1,
    LLAVA_MED_V1,
    LMMS_EVAL_V1,
    LMMS_EVAL_V2,
    MEDEVALKIT_V1,
    MEDEVALKIT_V2,
    R2GEN_V1,
)
from clincot.protocols._ours import CLINCOT_V1, CLINCOT_V2, PAPER_V1, PAPER_V2
from clincot.protocols.base import Asking, Measure, Protocol
from clincot.recipe.choices import choose, is_known
from clincot.recipe.plugins import Table

__all__ = ["ALL", "JUDGED", "OUTSIDE", "PROTOCOLS", "Asking", "Measure", "Protocol", "chosen", "is_own", "load"]
ALL = "all"
# Tables have this order: what is current first, then the versions that were replaced and stay for numbers made before.
PROTOCOLS = {
    protocol.label: protocol
    for protocol in (
        CLINCOT_V2,
        PAPER_V2,
        LLAVA_MED_V1,
        LLAVA_MED_BATCH_V1,
        LMMS_EVAL_V2,
        MEDEVALKIT_V2,
        CARES_YESNO_V2,
        CLINCOT_STRICT_V1,
        R2GEN_V1,
        CLINCOT_V1,
        PAPER_V1,
        LMMS_EVAL_V1,
        MEDEVALKIT_V1,
        CARES_YESNO_V1,
    )
}
JUDGED = CLINCOT_JUDGE_V1  # no rule scores it: it has results where judges were asked (`evaluate.probes`)
LOADED: dict[str, Protocol] = {}  # those outside, by their labels
OUTSIDE = Table("protocols", {})  # what packages and files add; results carry their labels as they do ours
GROUNDING = ("pointing_game", "region_iou", "lesion_share")  # scored by boxes, so no score of texts
NEWEST = {p.name: p for p in sorted(PROTOCOLS.values(), key=lambda protocol: protocol.version)}


def is_own(label: str) -> bool:
    """Return whether `label` is of this package: a label, or a name for its newest version."""
    return label in PROTOCOLS or label in NEWEST or label in (JUDGED.label, JUDGED.name)


def load(label: str) -> Protocol:
    """Return the protocol called `label`, the newest version for a name alone, or one outside the package.

    One outside is known by its label too once it was loaded: results carry labels. Raises ClincotError naming the
    nearest known one, or what is wrong with one outside.
    """
    if label in (JUDGED.label, JUDGED.name):
        return JUDGED
    found = PROTOCOLS.get(label) or NEWEST.get(label) or LOADED.get(label)
    if found is not None:
        return found
    if not is_known(OUTSIDE, label):
        raise ClincotError(f"evaluate.protocol: {label!r} is not a protocol.{did_you_mean(label, PROTOCOLS)}")
    where = f"evaluate.protocol {label!r}"
    made = choose(OUTSIDE, label, "evaluate.protocol")
    protocol = made if isinstance(made, Protocol) else made() if callable(made) else made
    _check(protocol, where)
    return LOADED.setdefault(protocol.label, protocol)


def _check(protocol: object, where: str) -> None:
    """Raise ClincotError for what is no protocol, has a label of ours, or names a score that is not known."""
    if not isinstance(protocol, Protocol):
        raise ClincotError(f"{where}: is no Protocol, and returns none. Give clincot.protocols.Protocol(...).")
    if is_own(protocol.label) or is_own(protocol.name):
        raise ClincotError(f"{where}: {protocol.label} is a protocol of clincot. Give yours another name.")
    if protocol.label in LOADED and LOADED[protocol.label] != protocol:
        raise ClincotError(f"{where}: another {protocol.label} is in use. Give this one another name or version.")
    for measure in protocol.measures:
        for _, score, rule in measure.scores:
            if score not in GROUNDING:
                load_score(score, rule)


def chosen(asked: str, wanted: list[str]) -> tuple[str, ...]:
    """Return the labels to show: `wanted`, `all` for every one, the protocol that was asked under for none."""
    first = load(asked).label
    if ALL in wanted:
        return (first, *(label for label in PROTOCOLS if label != first))
    return tuple(dict.fromkeys(load(label).label for label in wanted)) or (first,)
