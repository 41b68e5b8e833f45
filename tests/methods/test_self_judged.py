"""A policy or critic that chooses between answers: ties, unreadable verdicts, orders that differ, and cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from clincot.judges.base import CompareRequest, JudgeRequest, Rating, Verdict
from clincot.lm.requests import GenerateRequest
from clincot.methods import of_recipe
from clincot.stages.sample.serving import Models
from tests.methods.small_worlds import Policy, asked, in_turn, settings, walk
from tests.walked import Walked


def judging(answers: Sequence[str], replies: dict[str, Sequence[str]]) -> Policy:
    """Answers in turn, and judges an answer by the replies listed for it, in turn too."""
    write = in_turn(*answers)
    judge = {answer: in_turn(*given) for answer, given in replies.items()}

    def says(request: GenerateRequest) -> str:
        _, found, rest = asked(request).partition("\nAnswer: ")
        return judge[rest.partition("\n")[0]](request) if found else write(request)

    return Policy(says)


def sides(made: Walked) -> list[tuple[str, str]]:
    return [(pair.chosen.text, pair.rejected.text) for pair in made.pairs]


def test_the_policy_prefers_what_it_judges_best_on_the_mean_of_three_written_verdicts() -> None:
    replies = {
        "left": ("Relevant. Score: 4", "score: 5/5", "Clear. **Score:** 3"),
        "right": ("Score: 1", "It is wrong.", "Score: 9"),  # the second and third cannot be read
        "centre": ("Score: 4", "Score: 4", "Score: 4"),
        "none": ("Score: 2", "Score: 0", "First Score: 4, no: Score: 0"),
    }
    policy = judging(("left", "right", "centre", "none"), replies)
    made = walk(settings("self-rewarding", "method.verdict=points"), Models(policy))
    assert sides(made) == [("left", "none")]  # a tie with "centre" at the top: the first
    assert made.pairs[0].chosen.score == pytest.approx(0.8) and made.pairs[0].rejected.score == pytest.approx(2 / 15)
    assert made.drops == {"judgements that could not be read": 2}
    judged = [request for request in policy.requests if "\nAnswer: " in asked(request)]
    assert len(judged) == 12 and len({request.seed for request in judged}) == 12
    assert {(request.temperature, request.top_p, len(request.images)) for request in judged} == {(0.7, 0.9, 1)}
    assert not any("left" in asked(request).partition("Answer:")[0] for request in judged)  # no gold answer
    blind = walk(settings("self-rewarding", "method.judge_sees=nothing", "method.verdict=points"), Models(policy))
    assert sides(blind) == [("left", "none")] and policy.requests[-1].images == ()


def test_answers_that_are_judged_alike_or_say_the_same_are_no_pair() -> None:
    recipe = settings("self-rewarding")  # on the phantom's setting: yes or no
    tie = {"left": ("Yes.",), "right": ("yes, it is",)}
    tied = walk(recipe, Models(judging(("left", "right"), tie)))
    assert tied.pairs == ()
    assert tied.drops == {"questions whose texts are judged alike": 1, "questions without a pair": 1}
    same = walk(recipe, Models(judging(("left", "Left."), {"left": ("yes",), "Left.": ("no",)})))
    assert same.drops == {"questions whose judged texts say the same": 1, "questions without a pair": 1}
    unread = walk(recipe, Models(judging(("left", "right"), {"left": ("yes",), "right": ("maybe",)})))
    assert unread.pairs == () and unread.drops["texts whose judgements could not be read"] == 2


def test_a_policy_may_ask_its_own_question_and_its_pair_asks_it_again() -> None:
    def says(request: GenerateRequest) -> str:
        text = asked(request)
        if text.endswith("Question:"):
            return "Is there a shadow?\nIs there more?"
        if "Answer: " in text:
            return "Score: 4" if "Answer: Yes" in text else "Score: 1"
        assert text.startswith("Is there a shadow?")
        return "Yes" if request.seed % 2 else "No"

    made = walk(settings("self-rewarding", "method.questions=own", "method.verdict=points"), Models(Policy(says)))
    assert sides(made) == [("Yes", "No")]
    assert made.pairs[0].prompt[0]["content"][-1]["text"].startswith("Is there a shadow?\n")
    assert {candidate.findings for candidate in made.candidates} == {("Is there a shadow?",)}
    silent = walk(settings("self-rewarding", "method.questions=own"), Models(Policy(lambda request: "")))
    assert silent.candidates == () and silent.drops == {"empty own questions": 1}


def comparing(sampled: str, greedy: str, replies: Sequence[str]) -> Policy:
    verdicts = iter(replies)

    def says(request: GenerateRequest) -> str:
        if "Response 1:" in asked(request):
            return next(verdicts)
        return greedy if request.temperature == 0 else sampled

    return Policy(says)


@pytest.mark.parametrize(
    ("order", "replies", "pairs", "dropped"),
    [
        ("fixed", ["At first [[1]], on reflection [[2]]"], [("left", "right")], None),
        ("fixed", ["[[1]]"], [("right", "left")], None),
        ("fixed", ["Response 2 is better."], [], "comparisons without a verdict"),
        ("swap", ["[[2]]", "[[1]]"], [("left", "right")], None),  # 2 of the first order is 1 of the other
        ("swap", ["[[1]]", "[[1]]"], [], "comparisons whose two orders differ"),
        ("swap", ["[[1]]", "none"], [], "comparisons without a verdict"),
    ],
)
def test_sima_prefers_by_the_last_mark_of_the_policy_itself(
    order: str, replies: list[str], pairs: list[tuple[str, str]], dropped: str | None
) -> None:
    policy = comparing("right", "left", replies)
    made = walk(settings("sima", f"method.order={order}", "method.verdict=marks"), Models(policy))
    assert sides(made) == pairs
    assert made.drops == ({dropped: 1, "questions without a pair": 1} if dropped else {})
    sampled, greedy, critic = policy.requests[:3]
    assert (sampled.temperature, sampled.top_p, greedy.temperature, critic.temperature) == (0.8, 0.9, 0.0, 0.0)
    read = asked(critic)
    assert read.count("[[1]]") == 2 and "Ground truth: left\nResponse 1: right\nResponse 2: left" in read
    assert len(critic.images) == 1


def test_sima_compares_no_equal_answers_and_pairs_no_cut_ones() -> None:
    alike = walk(settings("sima"), Models(comparing("Left.", "left", [])))
    assert alike.drops == {"questions that are answered alike": 1, "questions without a pair": 1}
    cut = walk(settings("sima"), Models(comparing("rightCUT", "left", ["no"])))
    assert cut.drops == {"answers cut at the length limit": 1, "questions without a pair": 1}
    empty = walk(settings("sima"), Models(comparing("", "left", [])))
    assert empty.drops == {"empty answers": 1, "questions without a pair": 1}


@dataclass
class TableCritic:
    """Compares and rates as its tables say."""

    preferred: dict[tuple[str, str], float | None] = field(default_factory=dict)
    table: dict[str, float | None] = field(default_factory=dict)
    name: str = "table"
    key: str = "table"
    engine: Any = None
    asked: list[Any] = field(default_factory=list)

    @property
    def judge(self) -> TableCritic:
        return self

    def compare(self, requests: Sequence[CompareRequest]) -> list[Verdict]:
        self.asked += requests
        return [Verdict(self.preferred[request.first, request.second], 1.0) for request in requests]

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        self.asked += requests
        return [Rating(self.table[request.statement], 1.0) for request in requests]


@pytest.mark.parametrize(
    ("value", "pairs", "dropped"),
    [
        (0.51, [("left", "right")], None),
        (0.49, [("right", "left")], None),
        (0.5, [], "questions whose answers the critic finds alike"),
        (None, [], "questions without a verdict of the critic"),
    ],
)
def test_a_critic_that_sees_chooses_between_a_cold_and_a_warm_answer(
    value: float | None, pairs: list[tuple[str, str]], dropped: str | None
) -> None:
    policy = Policy(lambda request: "left" if request.temperature == 0.2 else "right")
    critic = TableCritic({("left", "right"): value})
    made = walk(settings("stllava-med", "method.verdict=compared"), Models(policy, critic=critic))  # type: ignore[arg-type]
    assert sides(made) == pairs
    assert made.drops == ({dropped: 1, "questions without a pair": 1} if dropped else {})
    assert [request.temperature for request in policy.requests] == [0.2, 1.0]
    (request,) = critic.asked
    assert (request.reference, request.swap, len(request.images)) == (None, True, 1)


def test_a_critic_may_rate_each_answer_by_itself() -> None:
    policy = Policy(lambda request: "left" if request.temperature == 0.2 else "right")
    critic = TableCritic(table={"left": 0.3, "right": 0.31})
    recipe = settings("stllava-med")  # on the phantom's setting
    assert sides(walk(recipe, Models(policy, critic=critic))) == [("right", "left")]  # type: ignore[arg-type]
    critic.table["right"] = None
    unread = walk(recipe, Models(policy, critic=critic))  # type: ignore[arg-type]
    assert unread.pairs == () and unread.drops["questions without a verdict of the critic"] == 1
    assert all(request.reference is None for request in critic.asked)


def test_cards_say_what_was_shown_and_how_it_was_judged() -> None:
    def said(name: str, *overrides: str) -> str:
        return " ".join(of_recipe(settings(name, *overrides)).facts({}))

    own = said("self-rewarding", "method.verdict=points")
    assert "with the image" in own and "without the gold answer" in own and "3 times, averaged" in own
    assert "no new questions" in own and "five" not in own
    other = said("self-rewarding", "method.questions=own", "method.judge_sees=nothing", "method.judgements=1")
    assert "a new question" in other and "without the image" in other and "once" in other
    assert "no new questions" not in other and "yes or no" in other
    assert "preference for a place" in said("sima") and "both orders" in said("sima", "method.order=swap")
    assert "gold answer" in said("sima") and "no gold answer" in said("stllava-med")
    assert "rated each" in said("stllava-med") and "compared" in said("stllava-med", "method.verdict=compared")
