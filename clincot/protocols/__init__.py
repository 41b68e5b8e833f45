"""Questions and answers -> results: what is asked and how answers are scored, under frozen and versioned names.

Rules score any answers. A protocol that prescribes its own prompts is met only by answers that were asked for that way:
tables call all others "scored under" it.
"""

from __future__ import annotations

from clincot.errors import ClincotError, did_you_mean
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

__all__ = ["ALL", "PROTOCOLS", "Asking", "Measure", "Protocol", "chosen", "load"]
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
NEWEST = {p.name: p for p in sorted(PROTOCOLS.values(), key=lambda protocol: protocol.version)}


def load(label: str) -> Protocol:
    """Return the protocol called `label`, the newest version for a name alone.

    Raises ClincotError naming the nearest known one.
    """
    found = PROTOCOLS.get(label) or NEWEST.get(label)
    if found is None:
        raise ClincotError(f"evaluate.protocol: {label!r} is not a protocol.{did_you_mean(label, PROTOCOLS)}")
    return found


def chosen(asked: str, wanted: list[str]) -> tuple[str, ...]:
    """Return the labels to show: `wanted`, `all` for every one, the protocol that was asked under for none."""
    first = load(asked).label
    if ALL in wanted:
        return (first, *(label for label in PROTOCOLS if label != first))
    return tuple(dict.fromkeys(load(label).label for label in wanted)) or (first,)
