"""DPO's pairs and those of judged answers: judges that tie and contradict each other, equal texts, and cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from clincot import editors
from clincot.judges.base import JudgeRequest, Rating
from clincot.methods import of_recipe
from clincot.records import WHOLE
from clincot.stages.pair.draw import draw_pairs
from clincot.stages.sample.serving import Models
from tests.lamps import examples
from tests.methods.small_worlds import Editor, Policy, in_turn, settings, walk


@dataclass
class TableJudge:
    """Rates a text as `table` says; None is a reply that cannot be read."""

    name: str
    table: dict[str, float | None]
    key: str = "table"
    requests: list[JudgeRequest] = field(default_factory=list)

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        self.requests += requests
        return [Rating(self.table[request.statement], 1.0) for request in requests]


def judges(**table: tuple[float | None, float | None]) -> tuple[TableJudge, TableJudge]:
    return tuple(  # type: ignore[return-value]
        TableJudge(name, {text: own[place] for text, own in table.items()}) for place, name in enumerate("ab")
    )


def test_the_answer_that_contradicts_the_gold_answer_most_is_rejected() -> None:
    rated = judges(right=(0.1, 0.2), centre=(0.2, 0.1), Left=(0.0, 0.0))
    models = Models(Policy(in_turn("right", "centre", "Left")), judges=rated, editor=Editor({}))  # type: ignore[arg-type]
    made = walk(settings("dpo"), models)
    (pair,) = made.pairs
    # "right" and "centre" tie at 0.15: the first; "Left" is the gold answer, however low its ratings.
    assert (pair.chosen.text, pair.rejected.text) == ("left", "right")
    assert (pair.views, pair.rejected.views, pair.weight) == ((WHOLE,), (), 1.0)
    assert made.drops == {"samples that repeat the gold answer": 1}
    assert {request.reference for judge in rated for request in judge.requests} == {"left"}
    assert [candidate.source for candidate in made.candidates] == ["gold", "policy", "policy", "policy"]


def test_a_text_that_the_judges_dispute_is_no_contradiction_and_the_editor_writes_one() -> None:
    rated = judges(right=(0.95, 0.15), centre=(0.9, None), sinister=(0.5, 0.5))
    policy = Policy(in_turn("right", "centre", "sinister"))
    models = Models(policy, judges=rated, editor=editors.load("rules"))  # type: ignore[arg-type]
    recipe = settings("dpo", "build.judging.failure_limit=1")
    made = walk(recipe, models)
    (pair,) = made.pairs
    assert (pair.rejected.text, made.candidates[-1].source) == ("right", "editor")
    assert pair.rejected.candidate == made.candidates[-1].id and pair.rejected.logp is None
    assert made.drops == {"answers a judge could not rate": 1}
    # Drawn again by the lowest judge, the disputed answer of the policy is the rejected one.
    again = settings("dpo", "build.judging.failure_limit=1", "build.judging.consensus=min")
    asked = [example for example in examples(("left",)) if example.answer_type == "open"]
    drawn = draw_pairs(of_recipe(again), again, 1, asked, made.candidates)
    assert drawn.pairs[0].rejected.candidate == "lamps/0/open/1/0"


def test_without_a_contradiction_and_a_wrong_version_there_is_no_pair() -> None:
    rated = judges(**{"left": (0.9, 0.9), "on the left": (0.7, 0.8)})
    policy = Policy(in_turn("left", "on the leftCUT", ""))
    made = walk(settings("dpo"), Models(policy, judges=rated, editor=Editor({"left": "Left."})))  # type: ignore[arg-type]
    assert made.pairs == ()
    assert made.drops == {
        "answers without a wrong version (came back unchanged)": 1,
        "candidates cut at the length limit": 1,
        "empty answers": 1,
        "samples that repeat the gold answer": 1,
        "questions without a pair": 1,
    }


def test_judged_answers_are_paired_as_the_last_step_of_clincot_without_a_region() -> None:
    rated = judges(left=(0.9, 0.9), right=(0.2, 0.1), centre=(0.9, 0.88), sinister=(None, 0.9))
    policy = Policy(in_turn("left", "right", "centre", "LEFT", "sinister", "right"))
    for judge in rated:
        judge.table["LEFT"] = 0.5
    recipe = settings("clincot-no-regions", "build.judging.failure_limit=1")
    made = walk(recipe, Models(policy, judges=rated))  # type: ignore[arg-type]
    assert {(pair.chosen.text, pair.rejected.text) for pair in made.pairs} == {("left", "right"), ("centre", "right")}
    assert all(pair.chosen.score > pair.rejected.score for pair in made.pairs)  # type: ignore[operator]
    assert made.hypotheses == () and all(request.images[1:] == () for request in policy.requests)
    assert made.drops == {"candidates a judge could not rate": 1, "candidates that repeat a text": 2}
    blind = settings("clincot-no-regions", "build.judging.failure_limit=1", "build.judging.context=blind")
    for judge in rated:
        judge.requests.clear()
    walk(blind, Models(Policy(policy.says), judges=rated))  # type: ignore[arg-type]
    assert {request.reference for judge in rated for request in judge.requests} == {None}


def test_cards_say_how_answers_were_judged() -> None:
    said = " ".join(of_recipe(settings("dpo", "method.answers=5")).facts({}))
    assert "of 5 answers" in said and "read the gold answer" in said and "Inferred" in said
    judged = of_recipe(settings("clincot-no-regions"))
    assert "consensus" not in judged.facts({"judges": [{}]})[0]
    assert "consensus (Eq. 4)" in judged.facts({"judges": [{}, {}]})[0]
