"""Two sides of a prompt, each a text with the images it is scored with -> a preference pair, without pixels."""

from __future__ import annotations

from dataclasses import dataclass

from clincot.records import Candidate, Message, Region, View, is_cut


@dataclass(frozen=True)
class Side:
    """One text of a pair, and the images it is scored with after those that both sides share.

    `logp` (nats) and `tokens` hold under the policy at the round's start, for this text after the pair's prompt and all
    its images; None where nobody computed them. `token_weights` weighs each token of the text in the objective, in
    order; None weighs all alike. `candidate` is the id of the candidate that the text is of.
    """

    text: str
    views: tuple[View, ...] = ()
    score: float | None = None
    logp: float | None = None
    tokens: int | None = None
    finish: str | None = None
    region: Region | None = None
    token_weights: tuple[float, ...] | None = None
    candidate: str = ""

    @classmethod
    def of(cls, candidate: Candidate, shared: tuple[View, ...], views: tuple[View, ...] | None = None) -> Side:
        """Return a candidate as a side after the `shared` views of its pair; `views` defaults to the others it saw.

        Its log-probability is kept only where the side shows what the policy saw.
        """
        own = candidate.views[len(shared) :] if views is None else views
        alike = (*shared, *own) == candidate.views
        return cls(
            text=candidate.text,
            views=own,
            score=candidate.score,
            logp=candidate.logp if alike else None,
            tokens=candidate.tokens if alike else None,
            finish=candidate.finish,
            region=candidate.region,
            candidate=candidate.id,
        )

    @property
    def cut(self) -> bool:
        """Return whether the text is known to be cut (`Candidate.cut`)."""
        return is_cut(self.finish)


@dataclass(frozen=True)
class Pair:
    """A preferred and a rejected side of one prompt; `group` is `example_id/step`, that of their candidates.

    `views` are the images that both sides share, and may be empty; each side's own come after them.
    """

    id: str
    example_id: str
    step: int
    method: str
    prompt: tuple[Message, ...]
    views: tuple[View, ...]
    chosen: Side
    rejected: Side
    group: str
    weight: float = 1.0
