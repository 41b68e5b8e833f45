"""MMedPO (arXiv 2412.06141): text pairs weighed by the wrong answer's relevance, image pairs by the tool's confidence.

A text pair prefers the gold answer to the sample that contradicts it most, or else to an editor's wrong version. An
image pair has the gold answer on both sides, and noise in the lesion of the rejected side's image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from clincot.chain.prompts import Rubric
from clincot.errors import DataError
from clincot.methods import mmedpo_facts
from clincot.methods.base import Draw, Rate, Tools
from clincot.methods.clincot_config import Lookahead
from clincot.methods.direct import answers_of, direct_pair, gold_of, wrong_version
from clincot.methods.mmedpo_weights import Normalisation, Spread
from clincot.methods.pairing import CUT
from clincot.methods.scoring import judged, scored
from clincot.methods.text_key import text_key
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example, Region, View, whole
from clincot.records.pairs import Pair

ALONE = Lookahead(gamma=0.0)
REJECTED = 2  # the step of what pairs reject; step 1 holds the gold answer and what was sampled
RELEVANCE = Rubric(  # ours, after the paper's description; its prompt is published as an image
    "The statement is a wrong answer to the question.",
    "Rate how relevant its error is to clinical practice: 0 is an error that nobody would make or that is of no"
    " consequence, 9 an error that is plausible and would mislead a clinician. Reply with one digit.",
    "Is its error one that is plausible and would mislead a clinician? Reply yes or no.",
)


@dataclass(frozen=True)
class MmedpoConfig:
    """How wrong answers are found and images damaged.

    `contradicts`: below this agreement with the gold answer, in [0, 1], a sample contradicts it. `changes`: places that
    the editor makes wrong at most. `noise`: diffusion inside the region (`paper`), or its pixels replaced by noise that
    is almost black (`code`). `strength`: the step of the diffusion / 1000. `hypothesis`: whose region is damaged, the
    most confident one where it was not looked for or found. `weights`: what pairs count.
    """

    samples: Annotated[int, Range(0, 1000)] = 3  # MMedPO's released rows: "Candidate Answer1" to 3 (inferred)
    temperature: Annotated[float, Range(0, 10)] = 0.7  # ours
    top_p: Annotated[float, Range(0, 1, above=True)] = 1.0  # ours
    contradicts: Annotated[float, Range(0, 1)] = 0.5  # ours: MMedPO asks GPT-4o whether any sample contradicts
    changes: Annotated[int, Range(1, 100)] = 1  # ours
    noise: Literal["paper", "code"] = "paper"  # MMedPO, Section 3; `code`: its released code
    strength: Annotated[float, Range(0, 1, above=True)] = 0.5  # ours: MMedPO gives no step; POVID's
    hypothesis: str = "disease"  # MMedPO's code
    weights: Normalisation = field(default_factory=Normalisation)


class Mmedpo:
    """The judges see the gold answer and no image; the policy sees the whole image."""

    name, title, paper = "mmedpo", "MMedPO-style", "arXiv 2412.06141"
    Config = MmedpoConfig
    on_policy = True
    needs = frozenset({"judges", "editor", "regions"})
    draws_by: frozenset[str] = frozenset()

    def __init__(self, config: MmedpoConfig, spreads: tuple[Spread, Spread] | None = None) -> None:
        self.config = config
        self.spreads = spreads

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Find the text and the image that the gold answer and its image are preferred to."""
        gold = replace(gold_of(example), views=whole(example))
        answers = await self._agreements(example, tools)
        found = [gold, *answers]
        wrong = await self._wrong(example, answers, tools)
        if wrong is not None:
            relevance = Rate(example, wrong.text, reference=example.reference, views=(), rubric=RELEVANCE)
            (rated,) = await _rated([replace(wrong, id=f"{example.id}/2/text", step=REJECTED)], [relevance], tools)
            found.append(rated)
        damaged = self._damaged(gold, _lesion(await tools.propose(example), self.config.hypothesis), tools)
        return found if damaged is None else [*found, damaged]

    def over(self, candidates: Iterable[Candidate]) -> Mmedpo:
        """Return the method with mean and spread of the weights of the round's text pairs, and of its image pairs."""
        raw: tuple[list[float], list[float]] = ([], [])
        for one in candidates:
            if one.step == REJECTED and one.score is not None:
                raw[one.source == "gold"].append(one.score)
        for kind, weights in zip(("text", "image"), raw, strict=True):
            if weights and not any(weights):
                raise DataError(
                    f"method mmedpo: the weights of all {len(weights)} {kind} pairs are 0, so they would teach nothing."
                    f" Name other {'judges' if kind == 'text' else 'proposers'} in the setting."
                )
        return Mmedpo(self.config, (Spread.of(raw[0]), Spread.of(raw[1])))

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Prefer the gold answer to the wrong text, and its image to the damaged one, each with its weight."""
        gold, pairs = candidates[0], []
        assert self.spreads is not None, "weights are normalised over the round: call `over` first"
        for one in candidates:
            if one.step != REJECTED:
                continue
            image = one.source == "gold"
            if one.score is None:
                draw.drop("wrong texts that the judges could not rate")
                continue
            weight = self.spreads[image].weight(one.score, self.config.weights)
            own = (gold.views, one.views) if image else None
            sides = (gold, replace(one, score=None))  # a relevance, not a quality to be compared
            pairs.append(direct_pair(self.name, example, draw.recipe, *sides, place=int(image), weight=weight, own=own))
        return pairs

    def drawn_by(self, sampled: MmedpoConfig) -> MmedpoConfig:
        """Return the numbers that a round was sampled by with this method's weights, which `pair` alone reads."""
        return replace(sampled, weights=self.config.weights)

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round, by `counts["judges"]`: the judges that rated."""
        return mmedpo_facts.sentences(self.config, judges=len(counts.get("judges", ())))

    async def _agreements(self, example: Example, tools: Tools) -> list[Candidate]:
        """Sample answers; those that do not repeat the gold answer get the judges' rating of how they agree with it."""
        config, known = self.config, {text_key(example.answer)}
        sampling = {"temperature": config.temperature, "top_p": config.top_p}
        different = []
        for answer in await answers_of(example, tools, config.samples, **sampling):
            if answer.cut and tools.recipe.build.cut_texts == "drop":
                tools.drop(CUT)
            elif text_key(answer.text) in known:
                tools.drop("samples that repeat a text or the gold answer")
            else:
                known.add(text_key(answer.text))
                different.append(answer)
        report = example.answer_type == "report"
        rates = [Rate(example, a.text, reference=example.reference, views=(), report=report) for a in different]
        return await _rated(different, rates, tools)

    async def _wrong(self, example: Example, answers: Sequence[Candidate], tools: Tools) -> Candidate | None:
        """Return the sample that contradicts the gold answer most, else the editor's version of it, if there is one."""
        rated = [answer for answer in answers if answer.score is not None]
        worst = min(rated, key=lambda answer: answer.score or 0.0, default=None)
        if worst is not None and (worst.score or 0.0) < self.config.contradicts:
            return worst
        return await wrong_version(example, tools, self.config.changes)

    def _damaged(self, gold: Candidate, lesion: Region | None, tools: Tools) -> Candidate | None:
        """Return the gold answer with noise in the lesion of the primary image; its score is the tool's confidence."""
        if lesion is None:
            tools.drop("image pairs without a region")
            return None
        paper = self.config.noise == "paper"
        kind: Literal["lesion_noise", "lesion_replaced"] = "lesion_noise" if paper else "lesion_replaced"
        seed = tools.seed(gold.example_id, "noise")
        noised = View(kind, lesion, self.config.strength if paper else 0.0, seed)
        name, views = f"{gold.example_id}/2/image", (noised, *gold.views[1:])
        return replace(gold, id=name, step=REJECTED, region=lesion, views=views, score=lesion.confidence)


def _lesion(regions: Sequence[Region], hypothesis: str) -> Region | None:
    """Return the most confident region of `hypothesis`, else of any."""
    of_it = [region for region in regions if region.hypothesis == hypothesis]
    return max(of_it or regions, key=lambda region: region.confidence, default=None)


async def _rated(texts: Sequence[Candidate], rates: Sequence[Rate], tools: Tools) -> list[Candidate]:
    """Return the texts with the judges' ratings and their consensus."""
    given = zip(texts, await tools.judge(rates), strict=True)
    judging = tools.recipe.build.judging
    return [scored(judged(text, tools.judge_names, ratings), ALONE, judging) for text, ratings in given]
