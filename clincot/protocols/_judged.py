"""Ratings of judges -> the protocol that they are results of; no rule scores its answers, so a probe fills it."""

from __future__ import annotations

from clincot.protocols.base import OPEN, Measure, Protocol

CLINCOT_JUDGE_V1 = Protocol(
    name="clincot-judge",
    version=1,
    thoughts=False,
    note="the mean rating that the setting's judges give an open answer, with the reference before them; it depends on"
    " the judges, so compare it within one setting alone (docs/evaluation.md)",
    measures=(Measure("open_judged", "open answers, judged", ((OPEN, "", ""),), headline=True),),
)
