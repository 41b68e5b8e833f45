"""ClinCoT's numbers and how many judges rated -> the sentences that a dataset's card says of a round."""

from __future__ import annotations

from typing import Literal

PairScope = Literal["any", "across_regions", "within_region"]
SCOPES = {"any": "among all", "across_regions": "across regions", "within_region": "within a region"}


def what_was_done(*, judges: int, ahead: bool) -> str:
    """Return the way from a question to its pairs; look-ahead and consensus are named where there were any."""
    scores = "scores of the judges in [0, 1]" if judges != 1 else "scores of one judge in [0, 1]"
    return (
        "For every question: clinical hypotheses, a heat map for each and the regions in it (Eq. 1), candidate texts of"
        f" the round's policy about the image and the region's crop (Eq. 2), {scores}"
        f"{' with look-ahead (Eq. 3)' if ahead else ''}{', their consensus (Eq. 4)' if judges != 1 else ''}, then pairs"
        " of a higher and a lower scored candidate of the same step. All texts are written by models."
    )


def how_pairs_were_drawn(
    *,
    gamma: float,
    normalise: bool,
    pairs_per_step: int,
    min_gap: float,
    pair_scope: str,
    steps: int | None = None,
    look: str = "all",
) -> str:
    """Return the numbers that decided pairs; `steps` None where nobody recorded it."""
    parts = [] if steps is None else [f"a chain of {steps} step{'s' if steps > 1 else ''}"]
    if look == "each":
        parts.append("a step looks at regions that no best text before it is about")
    if gamma:
        parts.append(f"look-ahead weight gamma {gamma:g}{'' if normalise else ' (Eq. 3 undivided)'}")
    parts.append(f"at most {pairs_per_step} pairs a step with a gap of {min_gap:g}, drawn {SCOPES[pair_scope]}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def of_chains_drawn_again() -> str:
    """Return what holds where pairs were drawn again with other numbers: no chain was walked anew."""
    return "The chains are those of the build: its scores, not these settings', chose the texts that extend them."


def what_is_ours(*, judges: int, ahead: bool) -> str:
    """Return which values the paper does not give."""
    return (
        "The paper fixes the outline (hypotheses, regions, candidates per step, two evaluators, margin DPO, rounds). It"
        " gives no number of steps, candidates, pairs per step or rounds,"
        f"{' no weight of the look-ahead,' if ahead else ''}{' no consensus of the judges,' if judges != 1 else ''} no"
        " score scale and function g, no region threshold, no crop rules and no prompts: these are ours. No code of the"
        " paper's authors was used."
    )
