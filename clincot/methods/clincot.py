"""One example -> ClinCoT's pairs: regions, candidates, judged look-ahead, k pairs a step, best extends (Eq. 1-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.consensus import consensus
from clincot.judges.lookahead import expected, total
from clincot.methods._pairing import choose_pairs
from clincot.methods.base import Ask, Tools
from clincot.prompts import step_messages
from clincot.records import Candidate, Example, JudgeScore, PreferencePair, Region


async def pairs(example: Example, tools: Tools) -> list[PreferencePair]:
    """Walk the chain of `recipe.build.steps` steps (paper, Section 2.1, Figure 1)."""
    regions = await tools.propose(example)
    if len(regions) < 2:
        tools.drop("questions with fewer than two regions")
        return []
    found: list[PreferencePair] = []
    chain: tuple[str, ...] = ()
    for step in range(1, tools.recipe.build.steps + 1):
        candidates = await _offer(example, step, chain, regions, tools)
        candidates = await _score(example, step, candidates, tools)
        tools.keep(candidates)
        found += choose_pairs(example, step, candidates, tools)
        scored = [candidate for candidate in candidates if candidate.score is not None]
        if not scored:
            tools.drop("chains that stop at a step no judge could rate")
            break
        chain = (*chain, max(scored, key=lambda c: (c.score, -candidates.index(c))).text)
    if not found:
        tools.drop("questions without a pair")
    return found


async def _offer(
    example: Example, step: int, chain: tuple[str, ...], regions: Sequence[Region], tools: Tools
) -> list[Candidate]:
    """Eq. 2: every candidate sees the same chain and its own region."""
    build = tools.recipe.build
    messages = step_messages(example.question, chain, step=step, steps=build.steps)
    places = [(region, repeat) for region in regions for repeat in range(build.samples_per_region)]
    asks = [Ask(messages, region, tools.seed(example.id, step, i)) for i, (region, _) in enumerate(places)]
    texts = await tools.generate(example, asks)
    offered = []
    for i, ((region, _), text) in enumerate(zip(places, texts, strict=True)):
        if not text.text.strip():
            tools.drop("empty candidates")
            continue
        # A text cut at the length limit has no end token, one that tokenises otherwise was scored as other tokens.
        whole = text.finish == "stop" and text.retokenises
        offered.append(
            Candidate(
                id=f"{example.id}/{step}/{i}",
                example_id=example.id,
                step=step,
                text=text.text,
                region=region,
                findings=chain,
                logp=text.logp if whole else None,
                tokens=text.tokens,
            )
        )
    return offered


async def _look_ahead(example: Example, step: int, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
    """Sample the next responses of Eq. 3: each candidate is followed by texts that see its own region."""
    build = tools.recipe.build
    if step == build.steps or build.lookahead.gamma == 0:
        return list(candidates)
    asks = [
        Ask(
            step_messages(example.question, (*c.findings, c.text), step=step + 1, steps=build.steps),
            c.region,
            tools.seed(c.id, "next", sample),
        )
        for c in candidates
        for sample in range(build.lookahead.samples)
    ]
    texts = iter(await tools.generate(example, asks))
    return [replace(c, lookahead=tuple(next(texts).text for _ in range(build.lookahead.samples))) for c in candidates]


async def _score(example: Example, step: int, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
    """Rate every candidate and its look-ahead texts in one call, then combine (Eq. 3 per judge, Eq. 4 over judges)."""
    candidates = await _look_ahead(example, step, candidates, tools)
    reference = example.reference if tools.recipe.build.judging.context == "reference" else None
    requests = []
    for c in candidates:
        requests.append(JudgeRequest(example.question, reference, c.findings, c.text))
        requests += [JudgeRequest(example.question, reference, (*c.findings, c.text), text) for text in c.lookahead]
    ratings = iter(await tools.judge(requests))
    scored = []
    for c in candidates:
        own = next(ratings)
        scored.append(_rated(c, own, [next(ratings) for _ in c.lookahead], tools))
    return scored


def _rated(candidate: Candidate, own: Sequence[Rating], later: Sequence[Sequence[Rating]], tools: Tools) -> Candidate:
    judging, gamma = tools.recipe.build.judging, tools.recipe.build.lookahead.gamma
    scores = []
    for j, name in enumerate(tools.judge_names):
        ahead = expected([ratings[j].value for ratings in later])
        value = total(own[j].value, ahead, gamma)
        scores.append(JudgeScore(judge=name, own=own[j].value, next=ahead, total=value, mass=own[j].mass))
    agreed = consensus(judging.consensus, [score.total for score in scores])
    if agreed is None:
        tools.drop("candidates a judge could not rate")
    return replace(candidate, judge_scores=tuple(scores), score=agreed)
