"""One example -> ClinCoT's candidates and pairs: regions, judged look-ahead, k pairs a step, best extends (Eq. 1-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from clincot.judges.base import Rating
from clincot.judges.lookahead import expected
from clincot.methods import clincot_config
from clincot.methods._steps import Steps
from clincot.methods.base import Ask, Draw, Rate, Tools
from clincot.methods.candidates import candidate_of, missing
from clincot.methods.clincot_facts import (
    how_pairs_were_drawn,
    of_chains_drawn_again,
    what_is_ours,
    what_was_done,
)
from clincot.methods.pairing import choose_pairs
from clincot.methods.scoring import best_of, scored
from clincot.recipe import Recipe
from clincot.records import WHOLE, Candidate, Example, JudgeScore, Region
from clincot.records.pairs import Pair, Side


class ClinCoT:
    """Clinical chain-of-thought preferences; superscripts and symbols as in the paper's Section 2.1 and Figure 1."""

    name = "clincot"
    title = "ClinCoT (reconstruction)"
    paper = "arXiv 2603.01124"
    Config = clincot_config.Config
    needs = frozenset({"regions", "judges"})
    on_policy = True

    def __init__(self, config: clincot_config.Config) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Walk the chain: at each step candidates about every region and their scores; the best one extends it."""
        regions = await tools.propose(example)
        if len(regions) * self.config.samples_per_region < 2:
            tools.drop("questions with fewer than two candidates")
            return []
        kept: list[Candidate] = []
        chain: tuple[str, ...] = ()
        looked: list[Region | None] = []
        for step in range(1, self.config.steps + 1):
            offered = await self._offer(example, step, chain, self._places(regions, looked), tools)
            rated = await self._score(example, step, await self._look_ahead(example, step, offered, tools), tools)
            kept += rated
            best = best_of([candidate for candidate in rated if not candidate.cut])
            if best is None:
                tools.drop(_end_of_chain(rated))
                break
            chain = (*chain, best.text)
            looked.append(best.region)
        return kept

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Draw k pairs among the candidates of each step, with their scores by the recipe's numbers."""
        config, found = self.config, []
        known = [scored(candidate, config.lookahead, draw.recipe.build.judging) for candidate in candidates]
        draw.drop("candidates a judge could not rate", sum(candidate.score is None for candidate in known))
        for step, offered in groupby(known, key=lambda candidate: candidate.step):
            group = f"{example.id}/{step}"
            chosen = choose_pairs(group, list(offered), config, draw)
            for i, (winner, loser) in enumerate(chosen):
                found.append(self._pair(f"{group}/{i}", example, winner, loser, draw.recipe))
        return found

    def drawn_by(self, sampled: clincot_config.Config) -> clincot_config.Config:
        """Return the numbers that a round was sampled by with those of this method that drawing pairs alone reads."""
        own, ahead = self.config, sampled.lookahead
        if ahead.gamma:  # else there are no look-ahead scores to weigh
            ahead = replace(ahead, gamma=own.lookahead.gamma, normalise=own.lookahead.normalise)
        drawn = {name: getattr(own, name) for name in ("pairs_per_step", "min_gap", "pair_scope")}
        return replace(sampled, lookahead=ahead, **drawn)

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round, by `counts["judges"]`: the judges that rated."""
        config, judges = self.config, len(counts.get("judges", ()))
        ahead = config.lookahead
        return (
            what_was_done(judges=judges, ahead=ahead.gamma > 0),
            how_pairs_were_drawn(
                gamma=ahead.gamma,
                normalise=ahead.normalise,
                pairs_per_step=config.pairs_per_step,
                min_gap=config.min_gap,
                pair_scope=config.pair_scope,
                steps=config.steps,
                look=config.look,
            ),
            *([of_chains_drawn_again()] if "paired_from" in counts else []),
            what_is_ours(judges=judges, ahead=ahead.gamma > 0),
        )

    def shortest(self, example: Example, recipe: Recipe) -> tuple[Ask, Rate]:
        """Return the first step's request and an empty text to rate; later steps hold texts that do not exist yet."""
        steps = self._steps(recipe)
        return steps.ask(example, 1, (), None, 0), steps.rate(example, 1, (), "")

    def _steps(self, recipe: Recipe) -> Steps:
        return Steps(recipe, self.config.steps, self.config.temperature, self.config.top_p)

    def _pair(self, name: str, example: Example, winner: Candidate, loser: Candidate, recipe: Recipe) -> Pair:
        return Pair(
            id=name,
            example_id=example.id,
            step=winner.step,
            method=self.name,
            prompt=self._steps(recipe).prompt(example, winner.step, winner.findings),
            views=(WHOLE,),
            chosen=Side.of(winner, (WHOLE,)),
            rejected=Side.of(loser, (WHOLE,)),
            group=f"{example.id}/{winner.step}",
        )

    def _places(self, regions: Sequence[Region], looked: Sequence[Region | None]) -> Sequence[Region]:
        """Return the regions of a step: with `look: each` those not yet looked at, as long as they make a pair."""
        if self.config.look == "all":
            return regions
        known = {(region.hypothesis, region.box) for region in looked if region}
        left = [region for region in regions if (region.hypothesis, region.box) not in known]
        return left if len(left) * self.config.samples_per_region >= 2 else regions

    async def _offer(
        self, example: Example, step: int, chain: tuple[str, ...], regions: Sequence[Region], tools: Tools
    ) -> list[Candidate]:
        """Eq. 2: every candidate sees the same chain and its own region."""
        steps = self._steps(tools.recipe)
        places = [region for region in regions for _ in range(self.config.samples_per_region)]
        asks = [
            steps.ask(example, step, chain, region, tools.seed(example.id, step, i)) for i, region in enumerate(places)
        ]
        texts = await tools.generate(example, asks)
        offered = []
        for i, (region, ask, text) in enumerate(zip(places, asks, texts, strict=True)):
            candidate = candidate_of(example, i, ask, text, step=step, region=region, findings=chain)
            if candidate is None:
                tools.drop(missing("candidates", text))
            else:
                offered.append(candidate)
        return offered

    async def _look_ahead(
        self, example: Example, step: int, candidates: Sequence[Candidate], tools: Tools
    ) -> list[Candidate]:
        """Sample the next responses of Eq. 3: each candidate is followed by texts that see its own region."""
        ahead, steps = self.config.lookahead, self._steps(tools.recipe)
        if step == self.config.steps or ahead.gamma == 0:
            return list(candidates)
        asks = [
            steps.ask(example, step + 1, (*c.findings, c.text), c.region, tools.seed(c.id, "next", sample))
            for c in candidates
            for sample in range(ahead.samples)
        ]
        texts = await tools.generate(example, asks)
        # An empty text is no next response, as it is no candidate: Eq. 3's mean is over those that say something.
        for text in texts:
            if not text.text.strip():
                tools.drop(missing("look-ahead texts", text))
        following = iter(texts)
        sampled = [[next(following).text for _ in range(ahead.samples)] for _ in candidates]
        return [replace(c, lookahead=tuple(filter(str.strip, own))) for c, own in zip(candidates, sampled, strict=True)]

    async def _score(
        self, example: Example, step: int, candidates: Sequence[Candidate], tools: Tools
    ) -> list[Candidate]:
        """Rate every candidate and its look-ahead texts in one call, then combine (Eq. 3 per judge, Eq. 4 over all)."""
        steps, requests = self._steps(tools.recipe), []
        for c in candidates:
            requests.append(steps.rate(example, step, c.findings, c.text, c.region))
            requests += [steps.rate(example, step + 1, (*c.findings, c.text), text, c.region) for text in c.lookahead]
        ratings = iter(await tools.judge(requests))
        rated = []
        for c in candidates:
            own, later = next(ratings), [next(ratings) for _ in c.lookahead]
            tools.drop("look-ahead texts too long for a judge", sum(any(r.too_long for r in some) for some in later))
            if any(rating.too_long for rating in own):
                tools.drop("candidates too long for a judge")
                continue
            judged = replace(c, judge_scores=_judge_scores(tools.judge_names, own, later))
            rated.append(scored(judged, self.config.lookahead, tools.recipe.build.judging))
        return rated


def _judge_scores(
    names: Sequence[str], own: Sequence[Rating], later: Sequence[Sequence[Rating]]
) -> tuple[JudgeScore, ...]:
    scores = []
    for j, name in enumerate(names):
        ahead = expected([ratings[j].value for ratings in later])
        scores.append(JudgeScore(judge=name, own=own[j].value, next=ahead, total=None, mass=own[j].mass))
    return tuple(scores)


def _end_of_chain(candidates: Sequence[Candidate]) -> str:
    if not candidates:
        return "chains that stop at a step without a text"
    return "chains that stop at a step " + ("of cut texts" if best_of(candidates) else "no judge could rate")
