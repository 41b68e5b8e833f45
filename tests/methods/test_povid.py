"""POVID's pairs: edited answers, answers under noise, what gives no pair, and what cards say."""

from __future__ import annotations

from clincot import editors
from clincot.methods import of_recipe
from clincot.records import WHOLE
from clincot.stages.sample.serving import Models
from tests.methods.small_worlds import Editor, Policy, in_turn, settings, walk


def test_the_gold_answer_is_preferred_to_the_editors_version_and_nothing_is_sampled() -> None:
    made = walk(settings("povid"), Models(None, editor=editors.load("rules")), ("left", ""), ("closed", "open"))
    texts = [(pair.chosen.text, pair.rejected.text) for pair in made.pairs]
    assert texts == [("Yes", "No"), ("left", "right"), ("No", "Yes")]  # "neither" has nothing to change
    assert made.drops == {"answers without a wrong version (nothing to change)": 1}
    pair = made.pairs[0]
    assert (pair.views, pair.chosen.views, pair.rejected.views, pair.weight) == ((WHOLE,), (), (), 1.0)
    assert (pair.chosen.logp, pair.rejected.logp, pair.chosen.score) == (None, None, None)
    assert [candidate.source for candidate in made.candidates[:2]] == ["gold", "editor"]


def test_an_editor_that_says_the_same_again_gives_no_pair() -> None:
    editor = Editor({"left": "Left.", "right": "left"})
    made = walk(settings("povid"), Models(None, editor=editor), ("left", "right", ""))
    assert [pair.rejected.text for pair in made.pairs] == ["left"]
    assert made.drops == {"answers without a wrong version (came back unchanged)": 2}


def test_the_answer_under_noise_is_scored_with_the_clean_image() -> None:
    policy = Policy(in_turn("right"))
    made = walk(settings("povid-lite"), Models(policy))
    (pair,) = made.pairs
    assert (pair.chosen.text, pair.rejected.text) == ("left", "right")
    assert (pair.views, pair.rejected.views, pair.rejected.logp) == ((WHOLE,), (), None)
    (request,) = policy.requests
    assert request.temperature == 0
    assert request.images[0].getpixel((0, 0)) != (10, 10, 10)  # the noise covers what is dark and even
    view = made.candidates[1].views[0]
    assert (view.kind, view.strength) == ("diffusion_noise", 0.5)


def test_answers_under_noise_that_are_right_or_cut_or_empty_are_no_pair_and_counted() -> None:
    sides = ("left", "right", "")
    said = iter(["LEFT.", "leftCUT", ""])
    made = walk(settings("povid-lite"), Models(Policy(lambda request: next(said))), sides)
    assert made.pairs == ()
    assert made.drops == {
        "gold answers that the policy gives under noise": 1,
        "candidates cut at the length limit": 1,
        "empty answers": 1,
        "questions without a pair": 2,
    }


def test_cards_say_what_the_editor_and_the_noise_did() -> None:
    one = of_recipe(settings("povid", "method.changes=1")).facts({})
    assert "made wrong in one place." in one[0] and "up to 3 places" in of_recipe(settings("povid")).facts({})[0]
    lite = " ".join(of_recipe(settings("povid-lite", "method.strength=0.3")).facts({}))
    assert "at step 300 of 1,000" in lite and "clean image" in lite and "editor" not in lite
