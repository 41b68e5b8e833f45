"""FiSAO-style: scores of words, weights of tokens, which answers are a pair, and whose tower it must be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError, RecipeError
from clincot.methods import of_recipe
from clincot.methods.fisao import FisaoConfig, spans_of
from clincot.phantom.v2.similarity.texts import WORDS
from clincot.recipe import load_recipe
from clincot.rows.schema import candidate_row
from clincot.rows.stored_candidates import candidate_of
from clincot.runs.checks import check_names
from clincot.runs.models.towers import check_tower
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import Workbench
from tests.lamps import examples
from tests.methods.phantom_clip import clip_of
from tests.methods.small_worlds import Policy, in_turn, settings
from tests.tiny import tiny_policy
from tests.walked import Walked, walked

GOLD = "There is an effusion."
TEXTS = ("No nodule and an effusion.", "A mass in the lung", "Effusion", "Yes.")
# The threshold is the effusion's 0.5: a nodule scores -0.5, a mass -1 (cut off), the lung 1 (cut off).
SIMILAR = {"effusion": 0.5, "nodule": 0.49, "mass": 0.3, "lung": 0.6}


@dataclass
class Similarity:
    """Gives SIMILAR of the word in the template."""

    def similarity(self, images: Any, texts: Any) -> list[float]:
        return [SIMILAR[text.removeprefix("an image showing ")] for text in texts]


def made(*texts: str, gold: str = GOLD, more: tuple[str, ...] = ()) -> Walked:
    recipe = settings("fisao", f"method.samples={len(texts)}", *more)
    asked = [replace(example, answer=gold) for example in examples(("left",)) if example.answer_type == "open"]
    models = Models(Policy(in_turn(*texts)), similarity=Similarity())
    return walked(recipe, asked, Workbench(recipe, 1, models))


def test_the_answer_with_the_best_words_is_preferred_and_its_tokens_are_weighed() -> None:
    result = made(*TEXTS)
    scores = [(one.score, one.token_scores) for one in result.candidates]
    assert scores[0] == (pytest.approx(-0.25), pytest.approx((0, -0.5, 0, 0, 0, 0)))  # the last one is the end token
    assert scores[1] == (0.0, pytest.approx((0, -1, 0, 0, 1, 0)))
    assert scores[2:] == [(0.0, (0.0, 0.0)), (None, None)]
    (pair,) = result.pairs  # two answers have the best score: the first one
    assert (pair.chosen.text, pair.rejected.text) == (TEXTS[1], TEXTS[0])
    assert pair.chosen.token_weights == pytest.approx((1, 1, 1, 1, 2, 1))
    assert pair.rejected.token_weights == pytest.approx((1, 1.5, 1, 1, 1, 1))
    assert result.drops == {"answers without a word to score": 1}
    assert candidate_of(candidate_row(result.candidates[1], 1)) == result.candidates[1]


def test_what_gives_no_pair_is_counted() -> None:
    assert made(*TEXTS, gold="Yes").drops == {"questions whose gold answer names nothing that is scored": 1}
    alike = made("An effusion", "An effusion, certainly", "a massCUT")
    assert alike.pairs == ()
    assert alike.drops == {
        "candidates cut at the length limit": 1,
        "questions whose answers are scored alike": 1,
        "questions without a pair": 1,
    }


def test_strength_is_a_number_of_drawing_and_cards_say_what_was_weighed() -> None:
    (pair,) = made(*TEXTS, more=("method.strength=3",)).pairs
    assert pair.chosen.token_weights == pytest.approx((1, 1, 1, 1, 4, 1))
    said = " ".join(of_recipe(settings("fisao")).facts({}))
    assert "4 answers" in said and "count up to 2 times" in said and "reinforcement learning" in said
    for template in ("an image", "an {modality} of {}", "{} and {}", "a {} }"):
        with pytest.raises(RecipeError, match="method.template: .* needs one {}, for the word"):
            FisaoConfig(template=template).check()
    FisaoConfig(template="an image of {}").check()


# The threshold is the mean of nodule (0.49) and left (0.5): the side alone tells the answers apart.
SIMILAR |= {"left": 0.5, "right": 0.48, "two": 0.5}
LISTED = "method.words=[nodule, left, right, two]"


def test_words_of_a_list_are_scored_where_texts_name_one_finding_alone() -> None:
    texts = ("Nodules in the RIGHT lung.", "Two nodules, left upright")
    result = made(*texts, gold="A nodule on the left.", more=(LISTED,))
    scores = [one.token_scores for one in result.candidates]
    assert scores[0] == pytest.approx((-0.25, 0, 0, -0.75, 0, 0))  # the lung is not on the list
    assert scores[1] == pytest.approx((0.25, -0.25, 0.25, 0, 0))  # upright is another word
    (pair,) = result.pairs
    assert (pair.chosen.text, pair.rejected.text) == (texts[1], texts[0])
    assert pair.rejected.token_weights == pytest.approx((1.25, 1, 1, 1.75, 1, 1))
    assert made(*texts, gold="An effusion.", more=(LISTED,)).pairs == ()
    said = " ".join(of_recipe(settings("fisao", LISTED)).facts({}))
    assert "The score of a word of a list of 4 that they name" in said and "finding" not in said


def test_the_longest_word_is_found_and_no_part_of_another_nor_in_a_text_whose_places_move() -> None:
    listed = ("left", "left lower zone", "病")
    assert spans_of("Left lower zone, leftmost, left", listed) == (("left lower zone", 0, 15), ("left", 27, 31))
    assert spans_of("有病x", listed) == () and spans_of("有病在left", listed) == (("病", 1, 2), ("left", 3, 7))
    assert spans_of("\u0130 left", listed) == ()


@pytest.mark.parametrize("wrong", ["Left", "", " left"])
def test_words_that_no_text_holds_are_refused(wrong: str) -> None:
    with pytest.raises(RecipeError, match=r"method\.words: .* Write it in lower case"):
        FisaoConfig(words=(wrong,)).check()


def test_version_2_of_the_phantom_scores_the_words_that_its_similarity_model_knows() -> None:
    method = of_recipe(load_recipe("fisao", "phantom-v2"))
    assert method.config.words == tuple(WORDS)
    assert load_recipe("fisao", "phantom-v2").models.similarity.repo == "clincot/phantom-v2-similarity"


def test_a_policy_on_a_server_is_refused_before_anything_runs() -> None:
    recipe = settings("fisao", "models.policy.kind=openai", "models.policy.endpoint=http://127.0.0.1:1/v1")
    with pytest.raises(RecipeError, match="models.policy.kind: method fisao compares the policy's image tower"):
        check_names(recipe)


def test_a_clip_of_another_tower_is_refused_and_half_precision_is_none(tmp_path: Path) -> None:
    engine = TransformersEngine.from_pretrained(tiny_policy(tmp_path), batch_size=1)
    clip = clip_of(engine.policy.model)
    similarity = SimpleNamespace(weights=clip)
    check_tower(engine, similarity)
    check_tower(engine, SimpleNamespace(weights=clip_of(engine.policy.model).half()))
    with torch.no_grad():
        next(iter(clip.vision_model.encoder.layers[1].parameters())).view(-1)[0] += 0.01
    with pytest.raises(ModelError, match="its image tower is not the policy's: 1 of .* weights differ"):
        check_tower(engine, similarity)
    with pytest.raises(ModelError, match="models.similarity: has no image tower"):
        check_tower(engine, SimpleNamespace(weights=torch.nn.Linear(1, 1)))


def test_tokens_of_a_real_policy_end_where_its_tokenizer_says(tmp_path: Path) -> None:
    engine = TransformersEngine.from_pretrained(tiny_policy(tmp_path), batch_size=1)
    text = "The local image shows an effusion."
    (ends, none) = engine.token_ends([text, "a </s> b"])
    assert engine.token_ends([]) == []
    assert ends[-1] == len(text) and list(ends) == sorted(ends) and none == ()
    assert len(ends) == len(engine.policy.tokenizer(text, add_special_tokens=False)["input_ids"])
