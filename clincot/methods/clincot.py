"""One example -> ClinCoT's pairs: regions, candidates, judged look-ahead, k pairs a step, best extends (Eq. 1-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clincot.judges.base import Rating
from clincot.judges.lookahead import expected
from clincot.lm.requests import TOO_LONG, Completion
from clincot.methods.base import Tools
from clincot.methods.pairing import choose_pairs
from clincot.methods.scoring import best_of, scored
from clincot.methods.steps import step_ask, step_rating
from clincot.records import Candidate, Example, JudgeScore, PreferencePair, Region


async def pairs(example: Example, tools: Tools) -> list[PreferencePair]:
    """Walk the chain of `recipe.build.steps` steps (paper, Section 2.1, Figure 1)."""
    regions = await tools.propose(example)
    if len(regions) * tools.recipe.build.samples_per_region < 2:
        tools.drop("questions with fewer than two candidates")
        return []
    found: list[PreferencePair] = []
    chain: tuple[str, ...] = ()
    for step in range(1, tools.recipe.build.steps + 1):
        candidates = await _offer(example, step, chain, regions, tools)
        candidates = await _score(example, step, candidates, tools)
        tools.keep(candidates)
        found += choose_pairs(example, step, candidates, tools)
        best = best_of([candidate for candidate in candidates if not candidate.cut])
        if best is None:
            tools.drop(_end_of_chain(candidates))
            break
        chain = (*chain, best.text)
    if not found:
        tools.drop("questions without a pair")
    return found


def _end_of_chain(candidates: Sequence[Candidate]) -> str:
    if not candidates:
        return "chains that stop at a step without a text"
    return "chains that stop at a step " + ("of cut texts" if best_of(candidates) else "no judge could rate")


async def _offer(
    example: Example, step: int, chain: tuple[str, ...], regions: Sequence[Region], tools: Tools
) -> list[Candidate]:
    """Eq. 2: every candidate sees the same chain and its own region."""
    recipe = tools.recipe
    places = [region for region in regions for _ in range(recipe.build.samples_per_region)]
    asks = [
        step_ask(recipe, example, step, chain, region, tools.seed(example.id, step, i))
        for i, region in enumerate(places)
    ]
    texts = await tools.generate(example, asks)
    offered = []
    for i, (region, text) in enumerate(zip(places, texts, strict=True)):
        if text.finish == "failed" or not text.text.strip():
            tools.drop(_missing("candidates", text))
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
                finish=text.finish,
            )
        )
    return offered


async def _look_ahead(example: Example, step: int, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
    """Sample the next responses of Eq. 3: each candidate is followed by texts that see its own region."""
    recipe, build = tools.recipe, tools.recipe.build
    if step == build.steps or build.lookahead.gamma == 0:
        return list(candidates)
    asks = [
        step_ask(recipe, example, step + 1, (*c.findings, c.text), c.region, tools.seed(c.id, "next", sample))
        for c in candidates
        for sample in range(build.lookahead.samples)
    ]
    texts = await tools.generate(example, asks)
    # An empty text is no next response, as it is no candidate: Eq. 3's mean is over those that say something.
    for text in texts:
        if not text.text.strip():
            tools.drop(_missing("look-ahead texts", text))
    following = iter(texts)
    sampled = [[next(following).text for _ in range(build.lookahead.samples)] for _ in candidates]
    return [replace(c, lookahead=tuple(filter(str.strip, own))) for c, own in zip(candidates, sampled, strict=True)]


def _missing(what: str, text: Completion) -> str:
    """Return why there is no text: its prompt is too long, a server gave none, or it is empty."""
    if text.finish != "failed":
        return f"empty {what}"
    return f"{what} {TOO_LONG}" if text.failure == TOO_LONG else f"{what} that the server did not write"


async def _score(example: Example, step: int, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
    """Rate every candidate and its look-ahead texts in one call, then combine (Eq. 3 per judge, Eq. 4 over judges)."""
    candidates = await _look_ahead(example, step, candidates, tools)
    recipe = tools.recipe
    requests = []
    for c in candidates:
        facts, chain = tools.facts(example, c.region), (*c.findings, c.text)
        requests.append(step_rating(recipe, example, step, c.findings, c.text, facts))
        requests += [step_rating(recipe, example, step + 1, chain, text, facts) for text in c.lookahead]
    ratings = iter(await tools.judge(requests))
    rated = []
    for c in candidates:
        own, later = next(ratings), [next(ratings) for _ in c.lookahead]
        tools.drop("look-ahead texts too long for a judge", sum(any(r.too_long for r in some) for some in later))
        if any(rating.too_long for rating in own):
            tools.drop("candidates too long for a judge")
            continue
        rated.append(_rated(c, own, later, tools))
    return rated


def _rated(candidate: Candidate, own: Sequence[Rating], later: Sequence[Sequence[Rating]], tools: Tools) -> Candidate:
    scores = []
    for j, name in enumerate(tools.judge_names):
        ahead = expected([ratings[j].value for ratings in later])
        scores.append(JudgeScore(judge=name, own=own[j].value, next=ahead, total=None, mass=own[j].mass))
    rated = scored(replace(candidate, judge_scores=tuple(scores)), tools.recipe.build)
    if rated.score is None:
        tools.drop("candidates a judge could not rate")
    return rated
