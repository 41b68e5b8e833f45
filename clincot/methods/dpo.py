"""DPO (arXiv 2305.18290) as a row of the tables: the gold answer against the policy's text that contradicts it most.

The row's source says no more than "DPO". Inferred for it are MMedPO's text pairs without weights: of three samples the
one that contradicts the gold answer most is rejected, and where none contradicts it, a written wrong version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from clincot.methods.base import Draw, Rate, Tools
from clincot.methods.clincot_config import Lookahead
from clincot.methods.direct import answers_of, direct_pair, gold_of, usable, wrong_version
from clincot.methods.pairing import CUT
from clincot.methods.scoring import judged, scored
from clincot.methods.text_key import text_key
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example
from clincot.records.pairs import Pair

OWN_SCORE = Lookahead(gamma=0.0, samples=0)  # a text is rated by itself


@dataclass(frozen=True)
class DpoConfig:
    """How texts are sampled, and below which score a text contradicts the gold answer.

    `contradicts`: the consensus of the judges, who read the gold answer, lies below it. `changes`: places that the
    editor makes wrong at most.
    """

    answers: Annotated[int, Range(1, 1000)] = 3  # inferred: MMedPO's released rows name "Candidate Answer1..3"
    temperature: Annotated[float, Range(0, 10)] = 0.7  # ours
    top_p: Annotated[float, Range(0, 1, above=True)] = 1.0  # ours
    contradicts: Annotated[float, Range(0, 1)] = 0.5  # ours: MMedPO asks GPT-4o, who names a candidate or none
    changes: Annotated[int, Range(1, 100)] = 1  # ours


class Dpo:
    """The preferred text is always the gold answer; the rejected one is the policy's own where it errs."""

    name, title, paper = "dpo", "DPO-style (pairs inferred)", "arXiv 2305.18290"
    Config, on_policy = DpoConfig, True
    needs = frozenset({"judges", "editor"})

    def __init__(self, config: DpoConfig) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Sample answers and have them rated against the gold answer; a wrong version is written where none errs."""
        config = self.config
        sampled = await answers_of(example, tools, config.answers, temperature=config.temperature, top_p=config.top_p)
        report = example.answer_type == "report"
        requests = [Rate(example, answer.text, reference=example.reference, report=report) for answer in sampled]
        ratings = await tools.judge(requests)
        rated = [judged(answer, tools.judge_names, given) for answer, given in zip(sampled, ratings, strict=True)]
        rated = [scored(answer, OWN_SCORE, tools.recipe.build.judging) for answer in rated]
        if self._contradicting(example, rated, tools) is not None:
            return [gold_of(example), *rated]
        wrong = await wrong_version(example, tools, config.changes)
        return [gold_of(example), *rated, *([wrong] if wrong else [])]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Prefer the gold answer to the text that contradicts it most, else to the wrong version."""
        gold, *others = candidates
        sampled = [
            scored(candidate, OWN_SCORE, draw.recipe.build.judging)
            for candidate in others
            if candidate.source == "policy"
        ]
        draw.drop("answers a judge could not rate", sum(answer.score is None for answer in sampled))
        draw.drop(CUT, sum(not usable(answer, draw) for answer in sampled))
        draw.drop(
            "samples that repeat the gold answer", sum(text_key(one.text) == text_key(gold.text) for one in sampled)
        )
        rejected = self._contradicting(example, sampled, draw)
        if rejected is None:
            rejected = next((candidate for candidate in others if candidate.source == "editor"), None)
        if rejected is None:
            return []
        return [direct_pair(self.name, example, draw.recipe, gold, rejected)]

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round."""
        config = self.config
        return (
            f"Preferred: the gold answer. Rejected: of {config.answers} answers of the round's policy (temperature"
            f" {config.temperature:g}, top-p {config.top_p:g}) the one that the judges, who read the gold answer, rate"
            f" lowest, below {config.contradicts:g}. Where none lies below it: a version of the gold answer that an"
            " editor made wrong.",
            "Inferred: the tables' sources say no more than DPO. These are the text pairs of MMedPO without its"
            " weights; judges and editor are not GPT-4o, and the limit of the rating is ours.",
        )

    def _contradicting(self, example: Example, answers: Sequence[Candidate], draw: Draw) -> Candidate | None:
        """Return the lowest rated answer below the limit, the first of equals; gold answers do not count."""
        own = text_key(example.answer)
        below = [
            answer
            for answer in answers
            if usable(answer, draw) and text_key(answer.text) != own
            if answer.score is not None and answer.score < self.config.contradicts
        ]
        return min(below, key=lambda answer: answer.score or 0.0, default=None)
