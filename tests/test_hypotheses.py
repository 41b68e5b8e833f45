"""Hypotheses: what the question names comes first, what the proposer cannot look for never comes."""

from __future__ import annotations

from clincot.hypotheses import hypotheses, named_entities

KNOWN = ("nodule", "consolidation", "effusion", "pneumothorax", "cardiomegaly")


def test_entities_that_questions_name_come_first() -> None:
    assert hypotheses("chest x-ray", ["Is there a pneumothorax?"], 3) == ("pneumothorax", "disease", "lesion")


def test_the_questions_of_an_image_share_their_hypotheses() -> None:
    both = hypotheses("phantom", ["Is there a nodule?", "Which side is the effusion on?"], 5, KNOWN)
    assert both[:2] == ("nodule", "effusion")


def test_only_what_the_proposer_knows_is_asked_for_and_the_rest_of_it_fills_up() -> None:
    assert hypotheses("mri", ["Is there a tumor?"], 9, KNOWN) == KNOWN


def test_words_match_whole_and_by_synonym() -> None:
    assert named_entities(["Is the heart enlarged?"]) == ("cardiomegaly",)
    assert named_entities(["Is this a massive image?"]) == ()


def test_unknown_modalities_use_the_general_list() -> None:
    assert hypotheses("ultrasound", [], 2) == hypotheses("other", [], 2)
