"""FiSAO-style (arXiv 2410.14148): sampled answers whose clinical words are scored with the policy's own image encoder.

FiSAO's code is not published and its description unclear. Its tokens get rewards from their similarity to the image,
and reinforcement learning maximises them. Here the answer with the best words is preferred to the one with the worst,
and token-weighted DPO counts words by their scores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean
from typing import Annotated, Any

from clincot.chain.hypotheses import ENTITIES, entity_spans
from clincot.errors import RecipeError
from clincot.methods.base import Draw, Match, Tools
from clincot.methods.direct import answers_of, direct_pair, usable
from clincot.methods.pairing import CUT
from clincot.methods.text_key import text_key
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example, JudgeScore
from clincot.records.pairs import Pair

Span = tuple[str, int, int]  # word, start and end


@dataclass(frozen=True)
class FisaoConfig:
    """How answers are sampled and words scored.

    `template`: what is matched with the image, of a word. `span`: how far a word's similarity lies from the threshold
    to have the score 1 or -1. `strength`: by how much a word of score 1 counts more than others. `words`: what is
    scored of a text, for example the words that the similarity model was trained on; empty: findings and organs. A word
    that names a finding or an organ counts in all its forms, another one as it is written.
    """

    samples: Annotated[int, Range(2, 1000)] = 4  # ours
    temperature: Annotated[float, Range(0, 10, above=True)] = 1.0  # ours
    top_p: Annotated[float, Range(0, 1, above=True)] = 1.0  # ours
    template: str = "an image showing {}"  # ours
    span: Annotated[float, Range(0, 1, above=True)] = 0.02  # ours: CLIP's similarities lie close together
    strength: Annotated[float, Range(0, 100)] = 1.0  # ours
    words: tuple[str, ...] = ()  # ours

    def check(self) -> None:
        """Raise RecipeError for a template without a place for the word, and for words that no text can hold."""
        if self.template.count("{}") != 1 or {"{", "}"} & set(self.template.replace("{}", "")):
            raise RecipeError(
                f"method.template: {self.template!r} needs one {{}}, for the word, and no other braces. Write for"
                " example 'an image showing {}'."
            )
        for word in self.words:
            if not word or word != word.strip().lower():
                raise RecipeError(
                    f"method.words: {word!r} is empty, or has capitals or spaces around it. Write it in lower case."
                )


class Fisao:
    """A word's score: (similarity - threshold) / span, in [-1, 1]; threshold: the mean of the gold answer's words."""

    name, title, paper = "fisao", "FiSAO-style", "arXiv 2410.14148"
    Config = FisaoConfig
    on_policy = True
    needs = frozenset({"similarity", "tower"})
    draws_by = frozenset({"cut_texts"})
    reads_gold = True  # its words are the threshold, and a question whose gold answer names none has no pair

    def __init__(self, config: FisaoConfig) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Sample answers and score their words."""
        config, gold = self.config, _named(spans_of(example.answer, self.config.words))
        if not gold:
            tools.drop("questions whose gold answer names nothing that is scored")
            return []
        sampling = {"temperature": config.temperature, "top_p": config.top_p}
        answers = await answers_of(example, tools, config.samples, **sampling)
        spans = [spans_of(answer.text, config.words) for answer in answers]
        named = list(dict.fromkeys([*gold, *(word for own in spans for word in _named(own))]))
        matches = await tools.similarity([Match(example, config.template.format(word)) for word in named])
        similar = dict(zip(named, matches, strict=True))
        threshold = fmean(similar[word] for word in gold)
        scores = {word: min(1.0, max(-1.0, (similar[word] - threshold) / config.span)) for word in named}
        ends = tools.token_ends([answer.text for answer in answers])
        return [_scored(*one, similar, scores) for one in zip(answers, spans, ends, strict=True)]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Prefer the answer whose words match the image best to the one whose words match it least."""
        whole = [one for one in candidates if usable(one, draw)]
        draw.drop(CUT, len(candidates) - len(whole))
        rated = [one for one in whole if one.score is not None and one.token_scores is not None]
        draw.drop("answers without a word to score", len(whole) - len(rated))
        best = max(rated, key=lambda one: one.score or 0.0, default=None)
        worst = min(rated, key=lambda one: one.score or 0.0, default=None)
        if best is None or worst is None or best.score == worst.score or text_key(best.text) == text_key(worst.text):
            draw.drop("questions whose answers are scored alike")
            return []
        pair = direct_pair(self.name, example, draw.recipe, best, worst)
        weigh = self.config.strength
        chosen = replace(pair.chosen, token_weights=tuple(1 + weigh * max(0.0, s) for s in best.token_scores or ()))
        rejected = replace(
            pair.rejected, token_weights=tuple(1 + weigh * max(0.0, -s) for s in worst.token_scores or ())
        )
        return [replace(pair, chosen=chosen, rejected=rejected)]

    def drawn_by(self, sampled: FisaoConfig) -> FisaoConfig:
        """Return the numbers that a round was sampled by with this method's `strength`, which `pair` alone reads."""
        return replace(sampled, strength=self.config.strength)

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round."""
        config = self.config
        scored = f"word of a list of {len(config.words)}" if config.words else "finding or organ"
        return (
            f"The round's policy wrote {config.samples} answers to each question (temperature {config.temperature:g})."
            f" The score of a {scored} that they name is its similarity to the image, by the full CLIP whose"
            " image tower is the policy's, minus the mean similarity of those that the gold answer names.",
            "The answer with the highest mean score is preferred to the one with the lowest. Tokens of words that match"
            f" the image count up to {1 + config.strength:g} times in the preferred text, tokens of words that do not"
            " in the rejected one, and all others once.",
            "Unlike FiSAO: DPO with weighted tokens in place of reinforcement learning; words, thresholds and scale are"
            " ours, because its code is not published.",
        )


def spans_of(text: str, words: tuple[str, ...]) -> tuple[Span, ...]:
    """Return word, start and end of each place of `text` that is scored, in its order: entities where `words` is empty.

    A text whose length changes in lower case has none: its places would be others.
    """
    entities, lowered = entity_spans(text), text.lower()
    if not words or len(lowered) != len(text):
        return entities
    pattern = _pattern(words)
    written = [(found[0], *found.span()) for found in pattern.finditer(lowered)] if pattern else []
    return tuple(sorted([*(one for one in entities if one[0] in words), *written], key=lambda one: one[1:]))


def _named(spans: Sequence[Span]) -> list[str]:
    """Return the words of `spans`, each once."""
    return list(dict.fromkeys(name for name, _, _ in spans))


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return what finds those of `words` that are no entities, the longest first; None where all are."""
    plain = sorted((word for word in words if word not in ENTITIES), key=len, reverse=True)
    # ASCII, and no \b: words of other scripts have no spaces around them.
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, plain))})(?!\w)", re.ASCII) if plain else None


def _scored(
    answer: Candidate,
    spans: Sequence[Span],
    ends: Sequence[int],
    similar: Mapping[str, float],
    scores: Mapping[str, float],
) -> Candidate:
    """Return the answer with its words' scores, their mean and the score of each token, the end token included."""
    words = _named(spans)
    if not words or not ends or answer.logp is None:  # no log-probability: its tokens are not those of the text
        return answer
    starts = (0, *ends)
    tokens = [
        max((scores[name] for name, left, right in spans if left < end and start < right), default=0.0, key=abs)
        for start, end in zip(starts, ends, strict=False)
    ]
    ended = [0.0] if answer.finish == "stop" else []
    known = tuple(JudgeScore(word, similar[word], None, scores[word], 1.0) for word in words)
    mean = fmean(scores[word] for word in words)
    return replace(answer, judge_scores=known, score=mean, token_scores=(*tokens, *ended))
