"""What the policy wrote for an ask -> the candidate that a method keeps of it."""

from __future__ import annotations

from collections.abc import Sequence

from clincot.lm.requests import TOO_LONG, Completion
from clincot.methods.base import Ask, Draw
from clincot.records import Candidate, Example, Region


def candidate_of(
    example: Example,
    place: int,
    ask: Ask,
    text: Completion,
    *,
    step: int = 1,
    region: Region | None = None,
    findings: Sequence[str] = (),
) -> Candidate | None:
    """Return the candidate of one text, None without a text (it is empty, or a server failed).

    Its log-probability is kept only where it is that of the whole text: a text cut at the length limit has no end
    token, and one that tokenises otherwise was scored as other tokens.

    Args:
        example: what was asked about.
        place: the number of the text within its step, which makes its id `EXAMPLE_ID/STEP/PLACE`.
        ask: the request that `text` answers.
        text: what the policy wrote.
        step: of the chain, from 1.
        region: that the text is about.
        findings: the texts of the chain before it.
    """
    if text.finish == "failed" or not text.text.strip():
        return None
    whole = text.finish == "stop" and text.retokenises
    return Candidate(
        id=f"{example.id}/{step}/{place}",
        example_id=example.id,
        step=step,
        text=text.text,
        region=region,
        findings=tuple(findings),
        logp=text.logp if whole else None,
        tokens=text.tokens,
        finish=text.finish,
        views=ask.views,
    )


def missing(what: str, text: Completion) -> str:
    """Return why there is no text: its prompt is too long, a server gave none, or it is empty."""
    if text.finish != "failed":
        return f"empty {what}"
    return f"{what} {TOO_LONG}" if text.failure == TOO_LONG else f"{what} that the server did not write"


def written(example: Example, asks: Sequence[Ask], texts: Sequence[Completion], draw: Draw) -> list[Candidate]:
    """Return the answers to `asks`, in their order; those without a text are counted and left out."""
    found = []
    for place, (ask, text) in enumerate(zip(asks, texts, strict=True)):
        candidate = candidate_of(example, place, ask, text)
        if candidate is None:
            draw.drop(missing("answers", text))
        else:
            found.append(candidate)
    return found
