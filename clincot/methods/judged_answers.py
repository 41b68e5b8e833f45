"""ClinCoT without region steps (Table 2, "w/o ClinCoT", as trained): answers of the whole image, judged, k pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from clincot.methods.base import Draw, Rate, Tools
from clincot.methods.clincot_config import Lookahead
from clincot.methods.direct import answers_of, direct_pair
from clincot.methods.pairing import choose_pairs
from clincot.methods.scoring import judged, scored
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example
from clincot.records.pairs import Pair

OWN_SCORE = Lookahead(gamma=0.0, samples=0)  # there is no next step to look ahead to


@dataclass(frozen=True)
class JudgedAnswersConfig:
    """The numbers of ClinCoT that are left without regions and steps; recipes/clincot.yaml gives their sources."""

    answers: Annotated[int, Range(2, 1000)] = 6
    temperature: Annotated[float, Range(0, 10, above=True)] = 0.7
    top_p: Annotated[float, Range(0, 1, above=True)] = 1.0
    pairs_per_step: Annotated[int, Range(1, 100_000)] = 2
    min_gap: Annotated[float, Range(0, 1)] = 0.05

    @property
    def pair_scope(self) -> Literal["any"]:
        """Return among which candidates pairs are drawn: they have no regions."""
        return "any"


class JudgedAnswers:
    """As ClinCoT's last step, without what makes it ClinCoT: no hypotheses, no regions, no chain, no look-ahead."""

    name, title, paper = "judged_answers", "ClinCoT without region steps", "arXiv 2603.01124"
    Config, on_policy = JudgedAnswersConfig, True
    needs = frozenset({"judges"})

    def __init__(self, config: JudgedAnswersConfig) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Sample answers from the whole image and have them rated, as the recipe's context says."""
        config = self.config
        answers = await answers_of(example, tools, config.answers, temperature=config.temperature, top_p=config.top_p)
        reference = example.reference if tools.recipe.build.judging.context == "reference" else None
        report = example.answer_type == "report"
        requests = [Rate(example, answer.text, reference=reference, report=report) for answer in answers]
        ratings = await tools.judge(requests)
        rated = [judged(answer, tools.judge_names, own) for answer, own in zip(answers, ratings, strict=True)]
        return [scored(answer, OWN_SCORE, tools.recipe.build.judging) for answer in rated]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Draw k pairs of a higher and a lower scored answer, as ClinCoT draws them at a step."""
        known = [scored(answer, OWN_SCORE, draw.recipe.build.judging) for answer in candidates]
        draw.drop("candidates a judge could not rate", sum(answer.score is None for answer in known))
        chosen = choose_pairs(f"{example.id}/1", known, self.config, draw)
        return [direct_pair(self.name, example, draw.recipe, *sides, place=place) for place, sides in enumerate(chosen)]

    def drawn_by(self, sampled: JudgedAnswersConfig) -> JudgedAnswersConfig:
        """Return the numbers that a round was sampled by with those that drawing pairs alone reads."""
        return replace(sampled, pairs_per_step=self.config.pairs_per_step, min_gap=self.config.min_gap)

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round, by `counts["judges"]`: the judges that rated."""
        config, one = self.config, len(counts.get("judges", ())) == 1
        return (
            f"For every question: {config.answers} answers of the round's policy from the whole image (temperature"
            f" {config.temperature:g}, top-p {config.top_p:g}), scores of {'one judge' if one else 'the judges'} in"
            f" [0, 1]{'' if one else ', their consensus (Eq. 4)'}, then at most {config.pairs_per_step} pairs with a"
            f" gap of {config.min_gap:g}.",
            "An ablation of ClinCoT: without hypotheses, regions, chain and look-ahead.",
        )
