"""The contract of a method: an example and the tools it awaits -> candidates; an example's candidates -> its pairs."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from clincot.chain.prompts import Rubric
from clincot.editors.base import Rewrite, RewriteRequest
from clincot.judges.base import Rating, Verdict
from clincot.lm.requests import Completion
from clincot.recipe import Recipe
from clincot.records import WHOLE, Candidate, Example, Message, Region, View, whole
from clincot.records.pairs import Pair

Adapter = Literal["round", "base"]
DRAWS_BY = frozenset({"cut_texts", "consensus", "judges"})  # of `build` and of `build.judging`
NEEDS = ("regions", "judges", "critic", "editor", "similarity", "tower", "base")


@dataclass(frozen=True)
class Ask:
    """One text wanted from the policy, with everything that decides it.

    `views` fill the image blocks of `messages` in order (one block for image and crop where the recipe's `image_layout`
    is `canvas`). `max_new_tokens` are tokens, end token included; equal asks give equal texts. `adapter`: the text is
    of the round's policy, or of its base without an adapter (a need: `base`), whose log-probabilities are no reference.
    """

    messages: Sequence[Message]
    views: tuple[View, ...]
    temperature: float
    top_p: float
    max_new_tokens: int
    seed: int
    adapter: Adapter = "round"


@dataclass(frozen=True)
class Rate:
    """One text that the judges or the critic rate, with everything they see of its context.

    `reference` is the text that they may compare with (None: blind). `region`: they read where it lies and how it was
    found (None: nothing). `views` are the images before the text, for judges that see (None: all images of the example,
    whole; an empty tuple: a judge without an image).
    `report`: the text is a whole report and is rated by the rubric of reports. `rubric` replaces both: a `Rubric`, or a
    text that asks for one digit (9 is the best), which the scoring `yesno` refuses.
    """

    example: Example
    text: str
    findings: tuple[str, ...] = ()
    reference: str | None = None
    region: Region | None = None
    views: tuple[View, ...] | None = None
    report: bool = False
    rubric: str | Rubric | None = None

    @property
    def seen(self) -> tuple[View, ...]:
        """Return the views of the images before the text."""
        return whole(self.example) if self.views is None else self.views


@dataclass(frozen=True)
class Compare:
    """Two texts about an example that the critic compares, with everything it sees of their context.

    `views` are the images before the text (None: all images of the example, whole; an empty tuple: a blind critic).
    `swap`: the texts are read in both orders, and the
    mean counts. `reference` and `report` are those of `Rate`.
    """

    example: Example
    first: str
    second: str
    findings: tuple[str, ...] = ()
    reference: str | None = None
    views: tuple[View, ...] | None = None
    report: bool = False
    swap: bool = True

    @property
    def seen(self) -> tuple[View, ...]:
        """Return the views of the images before the texts."""
        return whole(self.example) if self.views is None else self.views


@dataclass(frozen=True)
class Match:
    """A text and a view of an example's image whose similarity is asked."""

    example: Example
    text: str
    view: View = WHOLE


class Draw(Protocol):
    """What a method has while it draws pairs: no model and no pixels."""

    @property
    def recipe(self) -> Recipe:
        """Return the settings of the run; `recipe.build` holds what every method shares."""
        ...

    def seed(self, *parts: object) -> int:
        """Return a number made of the recipe's seed, the round and `parts`."""
        ...

    def drop(self, reason: str, count: int = 1) -> None:
        """Count what yields no candidate or no pair, by reason; the dataset's card shows the counts."""
        ...


class Tools(Draw, Protocol):
    """What a method may ask for while it samples; requests that examples wait for together become one batch."""

    @property
    def judge_names(self) -> tuple[str, ...]: ...

    def size(self, example: Example) -> tuple[int, int]:
        """Return width and height of the example's primary image, in pixels, as regions and crops count them."""
        ...

    def token_ends(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Return, for each text, how many of its characters lie before the end of each token of the policy.

        The end token is left out. Empty for a text of which no log-probability is known either. Raises ModelError for a
        policy that does not know (a server).
        """
        ...

    def propose(self, example: Example) -> Awaitable[tuple[Region, ...]]:
        """Return the regions of the example's image, one per hypothesis that has one (Eq. 1)."""
        ...

    def generate(self, example: Example, asks: Sequence[Ask]) -> Awaitable[list[Completion]]:
        """Return what the policy of this round writes, one text per ask (Eq. 2)."""
        ...

    def judge(self, requests: Sequence[Rate]) -> Awaitable[list[tuple[Rating, ...]]]:
        """Return, per request, one rating per name of `judge_names`."""
        ...

    def rate(self, requests: Sequence[Rate]) -> Awaitable[list[Rating]]:
        """Return, per request, the critic's rating of the text, with the request's images before it."""
        ...

    def compare(self, requests: Sequence[Compare]) -> Awaitable[list[Verdict]]:
        """Return, per request, the critic's probability that the first text is the better one."""
        ...

    def rewrite(self, requests: Sequence[RewriteRequest]) -> Awaitable[list[Rewrite]]:
        """Return, per request, the editor's wrong version of the text, or why the editor found none."""
        ...

    def similarity(self, requests: Sequence[Match]) -> Awaitable[list[float]]:
        """Return, per request, how well image and text match: higher is better."""
        ...


class Method(Protocol):
    """One object that reads like its paper; `Config` is a frozen dataclass of its numbers, each with its source.

    `title` says "-style" or "(reconstruction)" where that is the truth. `needs` are the roles of NEEDS that it uses: no
    other model is loaded (`tower`: the similarity's image tower must be the policy's). `on_policy`: its texts are
    sampled from this round's policy; else a round's pairs are static. A class may have `reads_gold = True`: gold
    answers decide its texts or choices in a way that its candidates and the judges' context do not tell. It may have
    `draws_by`: those of DRAWS_BY that its `pair` reads; `clincot pair` refuses others (none given: all of them).
    """

    name: str
    title: str
    paper: str
    Config: type
    needs: frozenset[str]
    on_policy: bool

    def __init__(self, config: Any) -> None: ...

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Return every candidate text of the example, in the order of its steps."""
        ...

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Return the pairs among an example's candidates; equal candidates, settings and seeds give equal pairs."""
        ...

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return sentences (Markdown) for the dataset's card: what this method did in a round of these counts."""
        ...


@runtime_checkable
class Redraws(Protocol):
    """A method some of whose numbers `pair` alone reads: `clincot pair` draws pairs again by others of them.

    The pairs of a method without this are drawn again only by those numbers of `build` that it `draws_by`.
    """

    def drawn_by(self, sampled: Any) -> Any:
        """Return `sampled`, the Config that a round was sampled by, with those numbers of this method's own Config."""
        ...


@runtime_checkable
class OverRound(Protocol):
    """A method whose pairs depend on the whole round, such as weights that are normalised over its pairs."""

    def over(self, candidates: Iterable[Candidate]) -> Method:
        """Return the method that draws the round's pairs; `candidates` are all of the round's, without masks.

        Raises DataError for a round of which no pair can be made.
        """
        ...


@runtime_checkable
class Foresees(Protocol):
    """A method that can name its shortest requests, so that questions without room are found before any model loads."""

    def shortest(self, example: Example, recipe: Recipe) -> tuple[Ask | None, Rate | None]:
        """Return the shortest request to the policy about `example`, and to the judges; None where it asks nothing."""
        ...
