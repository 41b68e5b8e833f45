"""Hypotheses: what the question names comes first, what the proposer cannot look for never comes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from clincot.chain.hypotheses import (
    BY_MODALITY,
    CHEST,
    ENTITIES,
    FINDINGS,
    ORGANS,
    entities_in,
    hypotheses,
    named_entities,
)
from clincot.chain.hypotheses_zh import WORDS as CHINESE
from clincot.phantom.drawing.findings import FINDINGS as DRAWN
from clincot.phantom.texts import questions as wording

KNOWN = ("nodule", "consolidation", "effusion", "pneumothorax", "cardiomegaly")
# The part of MedKLIP's 75 entities that questions name (docs/methods.md#hypotheses).
NAMES = """normal effusion opacity pneumothorax edema atelectasis consolidation abnormality pneumonia catheter
cardiomegaly fracture air disease calcification nodule fluid thicken hyperinflate blunt emphysema mass infiltrate hernia
lesion dilation"""
MEDKLIP = set(NAMES.split())


def test_entities_that_questions_name_come_first() -> None:
    assert hypotheses("chest x-ray", ["Is there a pneumothorax?"], 3) == ("pneumothorax", "disease", "lesion")


def test_the_questions_of_an_image_share_their_hypotheses() -> None:
    both = hypotheses("phantom", ["Is there a nodule?", "Which side is the effusion on?"], 5, KNOWN)
    assert both[:2] == ("nodule", "effusion")
    assert both == hypotheses("phantom", ["Which side is the effusion on?", "Is there a nodule?"], 5, KNOWN)


def test_only_what_the_proposer_knows_is_asked_for_and_the_rest_of_it_fills_up() -> None:
    assert hypotheses("mri", ["Is there a tumor?"], 9, KNOWN) == KNOWN


def test_what_is_no_finding_fills_no_place_unless_nothing_else_is_known() -> None:
    medklip = ("normal", "clear", "sharp", "sharply", "effusion", "tip", "edema", "mass", "fluid", "lesion")
    assert hypotheses("ct", [], 6, medklip) == ("lesion", "mass", "fluid", "normal", "effusion", "edema")
    assert hypotheses("mri", [], 6, medklip) == ("lesion", "edema", "normal", "effusion", "mass", "fluid")
    assert hypotheses("ct", [], 6, ("lesion", "clear", "sharp")) == ("lesion", "clear", "sharp")
    assert hypotheses("ct", [], 2, iter(("left spot", "right spot", "rim"))) == ("left spot", "right spot")


def test_words_match_whole_and_by_synonym() -> None:
    assert named_entities(["Is there pleural fluid?"]) == ("effusion", "fluid")
    assert named_entities(["Is this a massive image?"]) == ()
    assert named_entities(["Is there a HAEMORRHAGE?"]) == ("hemorrhage",)


def test_the_heart_is_looked_at_by_who_knows_it_and_its_state_by_who_does_not() -> None:
    assert named_entities(["Is the heart enlarged?"]) == ("heart", "cardiomegaly")
    assert hypotheses("chest x-ray", ["Is the heart enlarged?"], 1, KNOWN) == ("cardiomegaly",)
    assert named_entities(["Is there an enlarged heart?"]) == ("cardiomegaly",)


def test_an_organ_counts_where_a_question_names_no_finding() -> None:
    assert named_entities(["Which is bigger in this image, liver or left kidney?"]) == ("liver", "kidney")
    assert named_entities(["Which lung is affected by the effusion?"]) == ("effusion",)
    assert named_entities(["Where is the liver?", "Is there a mass in the lung?"]) == ("mass", "liver")


@pytest.mark.parametrize(
    ("annotated", "entity"),
    [
        ("Left Lung", "lung"),
        ("Right Kidney", "kidney"),
        ("Brain Stem", "brain stem"),
        ("Small Bowel", "small bowel"),
        ("Brain Non-enhancing Tumor", "tumor"),
        ("Liver Cancer", "tumor"),
        ("Pulmonary Infiltration", "infiltrate"),
        ("Pulmonary Nodule", "nodule"),
    ],
)
def test_the_names_of_slake_s_annotations_are_entities(annotated: str, entity: str) -> None:
    assert entity in entities_in(annotated)


def test_every_modality_has_its_list_and_unknown_ones_use_the_general_list() -> None:
    assert hypotheses("ultrasound", [], 2) == hypotheses("other", [], 2)
    assert {"chest x-ray", "ct", "mri", "other"} <= set(BY_MODALITY)
    assert CHEST[:4] == ("disease", "lesion", "normal", "pneumonia")  # Figure 1
    assert all(len(set(listed)) == len(listed) >= 5 for listed in BY_MODALITY.values())


def test_medklip_is_asked_by_its_own_names() -> None:
    assert set(CHEST) <= MEDKLIP
    assert len(MEDKLIP & set(FINDINGS)) >= 20
    assert not set(ORGANS) & MEDKLIP


def test_a_phantom_s_questions_name_the_findings_that_it_draws_and_nothing_else() -> None:
    worded = (wording.PRESENCE, wording.OPEN, wording.SIDE, wording.ZONE, wording.NORMAL, wording.REPORT)
    for template in (text for texts in worded for text in texts):
        for finding in DRAWN:
            expected = (finding,) if "{finding}" in template else ()
            assert named_entities([template.format(a="a ", finding=finding)]) == expected
    assert tuple(name for name in ENTITIES if name in DRAWN) == DRAWN


def test_what_slake_asks_the_place_or_size_of_is_an_entity(shared_data: Path) -> None:
    rows = json.loads((shared_data / "slake" / "train.json").read_text(encoding="utf-8-sig"))
    english = [r["question"] for r in rows if r["q_lang"] == "en"]
    asked = [
        q for q in english if re.match(r"(where is|where are|which is (the )?(bigger|biggest|smaller))", q.lower())
    ]
    unnamed = [q for q in asked if not named_entities([q]) and not re.search(r"abnormal", q.lower())]
    assert len(asked) > 200
    assert len(unnamed) / len(asked) < 0.05, unnamed[:10]


def test_an_annotation_of_slake_s_answers_is_an_entity(shared_data: Path) -> None:
    rows = json.loads((shared_data / "slake" / "train.json").read_text(encoding="utf-8-sig"))
    told = [
        r for r in rows if r["q_lang"] == "en" and r["content_type"] == "Abnormality" and r["answer_type"] == "OPEN"
    ]
    answers = [r["answer"] for r in told if r["answer"].lower() not in {"none", "no", "yes", "", "both"}]
    unnamed = [answer for answer in answers if not entities_in(answer)]
    assert len(unnamed) / len(answers) < 0.1, unnamed[:10]


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("图片中包含肝脏吗?", ("liver",)),
        ("肺或者心脏哪个是异常的?", ("heart", "cardiomegaly", "lung")),
        ("图中肺炎位于肺的哪个部位?", ("pneumonia",)),
        ("左侧胸腔积液在哪里?", ("effusion",)),
        ("有脑积水吗?", ("hydrocephalus",)),  # no effusion
        ("主动脉瘤在哪里?", ("aneurysm",)),  # no tumour
        ("这张图片的成像方式是什么?", ()),
        ("图中Nodule和积液哪个更大?", ("nodule", "effusion")),
    ],
)
def test_chinese_questions_name_their_entities_and_the_longest_word_counts(question: str, named: tuple) -> None:
    assert named_entities([question]) == named


def test_every_chinese_word_names_a_known_entity_and_one_alone() -> None:
    words = [word for own in CHINESE.values() for word in own]
    assert set(CHINESE) == set(ENTITIES) and len(words) == len(set(words))


def test_chinese_questions_of_slake_name_entities_as_often_as_english_ones(shared_data: Path) -> None:
    asked = json.loads((shared_data / "slake/train.json").read_text(encoding="utf-8"))
    share = {
        language: sum(bool(entities_in(row["question"])) for row in rows) / len(rows)
        for language in ("en", "zh")
        if (rows := [row for row in asked if row["q_lang"] == language])
    }
    assert share["zh"] > 0.95 * share["en"] > 0.3
