"""Wrong versions by rules: what each kind of change does to real sentences, and that no text comes back unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from clincot.editors import EDITORS, load
from clincot.editors.base import NOTHING_TO_CHANGE, Change, Rewrite, RewriteRequest
from clincot.editors.rules import Rules
from clincot.errors import ClincotError
from clincot.methods.text_key import text_key

PHANTOM = ("nodule", "consolidation", "effusion", "pneumothorax", "cardiomegaly")


def rewrite(text: str, seed: int = 0, **options: object) -> Rewrite:
    return Rules().rewrite([RewriteRequest(text, "What is seen?", seed, **options)])[0]  # type: ignore[arg-type]


def versions(text: str, kind: str, **options: object) -> set[str]:
    """Return every version of `text` that 60 seeds give by a change of `kind`."""
    made = (rewrite(text, seed, **options) for seed in range(60))
    return {one.text for one in made if one.text and [change.kind for change in one.changes] == [kind]}


@pytest.mark.parametrize(
    ("text", "kind", "wrong"),
    [
        ("Left", "laterality", "Right"),
        ("RIGHT LUNG", "laterality", "LEFT LUNG"),
        (
            "Opacity in the left lung; the right one is clear.",
            "laterality",
            "Opacity in the right lung; the right one is clear.",
        ),
        ("Larger left than right effusion.", "laterality", "Larger right than left effusion."),
        ("A left-sided effusion", "laterality", "A right-sided effusion"),
        ("Consolidation of the RUL", "laterality", "Consolidation of the LUL"),
        ("Yes", "negation", "No"),
        ("no.", "negation", "yes."),
        ("Yes, there is a nodule.", "negation", "No, there is no nodule."),
        ("No, the heart is not enlarged.", "negation", "Yes, the heart is enlarged."),
        ("Yes, in the left lung.", "negation", "No."),
        ("There is no effusion.", "negation", "There is an effusion."),
        ("There is no focal edema.", "negation", "There is focal edema."),
        ("There are no nodules.", "negation", "There are nodules."),
        ("There are two nodules.", "negation", "There are no nodules."),
        ("There is no evidence of pneumonia.", "negation", "There is evidence of pneumonia."),
        ("No pleural effusion is seen.", "negation", "Pleural effusion is seen."),
        ("The lungs are clear.", "negation", "The lungs are not clear."),
        ("It does not show any mass", "negation", "It shows mass"),
        ("Mass without calcification", "negation", "Mass with calcification"),
        ("Mild edema", "severity", "Severe edema"),
        ("An enlarged heart", "severity", "A shrunken heart"),
        ("A small mass", "severity", "A large mass"),
        ("A normal heart", "appearance", "An abnormal heart"),
        ("A hypodense lesion", "appearance", "A hyperdense lesion"),
        ("Upper lobe", "location", "Lower lobe"),
        ("Few nodules", "severity", "Many nodules"),
        ("None", "answer", "One"),
        ("2.5 cm", "number", "5.0 cm"),
        ("CT", "modality", None),
        ("Coronal plane", "plane of SLAKE", None),
        ("Pneumonia", "finding", None),
        ("Liver, heart", "organ", None),
        ("左肺", "laterality", "右肺"),
        ("左上叶", "laterality", "右上叶"),
        ("没有", "negation", "有"),
        ("是的", "negation", "不是"),
        ("包含", "negation", "不包含"),
        ("左肺没有结节。", "negation", "左肺有结节。"),
        ("胸腔有积液", "negation", "胸腔没有积液"),
        ("轻度水肿", "severity", "重度水肿"),
        ("右上", "location", "右下"),
        ("横断面", "plane", None),
    ],
)
def test_what_each_kind_of_change_writes(text: str, kind: str, wrong: str | None) -> None:
    made = versions(text, kind)
    assert made if wrong is None else wrong in made
    assert text not in made


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Left and right lungs", "laterality"),  # the same again
        ("左肺和右肺", "laterality"),
        ("The heart is about as wide as 左右", "laterality"),
        ("There is no effusion.", "finding"),  # "no nodule" may be true, too
        ("The left lung shows no mass.", "laterality"),
        ("左肺没有结节", "laterality"),
        ("The heart is not enlarged.", "severity"),
        ("Lateral ventricles", "location"),
        ("Large bowel", "severity"),
        ("Medial and lateral rectus", "location"),
        ("T12 fracture", "number"),
        ("A few nodules", "severity"),
        ("消化功能", "negation"),  # 能 within 功能
        ("The heart is normal in size and its border with the left lung is sharp.", "organ"),
    ],
)
def test_what_is_left_alone(text: str, kind: str) -> None:
    assert not versions(text, kind)


def test_findings_come_from_the_vocabulary_and_fit_their_article() -> None:
    known = {"vocabulary": PHANTOM}
    assert versions("There is a nodule in the left lung.", "finding", **known) == {
        "There is a consolidation in the left lung.",
        "There is an effusion in the left lung.",
        "There is a pneumothorax in the left lung.",
    }
    assert versions("Effusion and nodule", "finding", **known) == {
        *(f"{other} and nodule" for other in ("Consolidation", "Pneumothorax", "Cardiomegaly")),
        *(f"Effusion and {other}" for other in ("consolidation", "pneumothorax", "cardiomegaly")),
    }
    assert versions("There is cardiomegaly on this image.", "finding", **known) == {
        "There is consolidation on this image."
    }
    assert versions("no abnormality", "answer", **known) == set(PHANTOM)
    assert versions("Two nodules", "finding", modality="mri") == {"Two infarcts", "Two hemorrhages"}


def test_findings_that_are_nearly_the_same_are_not_exchanged() -> None:
    made = versions(
        "Pneumonia", "finding", vocabulary=("pneumonia", "consolidation", "opacity", "fracture", "effusion")
    )
    assert made == {"Fracture", "Effusion"}


def test_a_vocabulary_may_hold_findings_of_its_own() -> None:
    made = versions("Macular edema", "finding", vocabulary=("edema", "drusen", "retinal tear"))
    assert made == {"Macular drusen", "Macular retinal tear"}


def test_chinese_findings() -> None:
    assert versions("肺结节", "finding", vocabulary=("nodule", "pneumothorax", "pneumonia")) == {"肺气胸", "肺炎"}


def test_the_change_is_reported_in_words() -> None:
    made = (rewrite("An effusion on the left", seed, vocabulary=("effusion", "nodule", "hernia")) for seed in range(40))
    assert {one.changes[0] for one in made} == {
        Change("laterality", "left", "right"),
        Change("finding", "effusion", "nodule"),
        Change("finding", "effusion", "hernia"),
    }
    assert rewrite("No.").changes == (Change("negation", "No", "Yes"),)


def test_several_changes_fall_into_different_sentences() -> None:
    text = "The heart is enlarged. There is a nodule in the left upper zone. There is no effusion."
    for seed in range(30):
        made = rewrite(text, seed, vocabulary=PHANTOM, changes=5)
        before, after = text.split(". "), (made.text or "").split(". ")
        assert len(made.changes) == 3
        assert all(one != other for one, other in zip(before, after, strict=True))
    assert len(rewrite(text, 3, vocabulary=PHANTOM).changes) == 1


def test_equal_seeds_give_equal_texts_and_others_vary() -> None:
    text = "There is a small nodule in the left upper zone."
    assert [rewrite(text, seed) for seed in range(20)] == [rewrite(text, seed) for seed in range(20)]
    assert len({rewrite(text, seed).text for seed in range(40)}) >= 6


@pytest.mark.parametrize("text", ["", "  ", "?", "Cirrhosis", "呼气", "Not sure"])
def test_a_text_without_anything_to_change_is_a_named_failure(text: str) -> None:
    assert rewrite(text) == Rewrite(None, (), NOTHING_TO_CHANGE)


def test_replies_keep_the_order_of_requests() -> None:
    made = Rules().rewrite(
        [RewriteRequest("Left", "Where?", 1), RewriteRequest("", "?", 1), RewriteRequest("No", "?", 1)]
    )
    assert [one.text for one in made] == ["Right", None, "Yes"]


def test_editors_are_loaded_by_name() -> None:
    assert isinstance(load("rules"), Rules)
    assert EDITORS.keys() == {"rules", "causal_lm", "vlm", "openai"}
    with pytest.raises(ClincotError, match="'rule': is not known"):
        load("rule")


def slake_and_vqa_rad(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (name, modality, gold answer)."""
    for split in ("train", "validate", "test"):
        for row in json.loads((folder / "slake" / f"{split}.json").read_text(encoding="utf-8-sig")):
            modality = {"CT": "ct", "MRI": "mri", "X-Ray": "chest x-ray"}[row["modality"]]
            yield f"slake {row['q_lang']}", modality, row["answer"]
    for row in json.loads((folder / "vqa_rad" / "VQA_RAD Dataset Public.json").read_text(encoding="utf-8-sig")):
        modality = {"HEAD": "mri", "CHEST": "chest x-ray", "ABD": "ct"}[row["image_organ"]]
        yield "vqa_rad", modality, str(row["answer"])


def test_real_gold_answers_get_a_wrong_version(shared_data: Path) -> None:
    """What is left are causes, treatments and rare names; each text that comes back has another key than its own."""
    answers = [one for one in slake_and_vqa_rad(shared_data) if one[2].strip()][::3]
    requests = [RewriteRequest(answer, "", seed, modality) for seed, (_, modality, answer) in enumerate(answers)]
    replies = Rules().rewrite(requests)
    for name, least in {"slake en": 0.95, "slake zh": 0.95, "vqa_rad": 0.87}.items():
        mine = [(answer, reply) for (of, _, answer), reply in zip(answers, replies, strict=True) if of == name]
        changed = [(answer, reply.text) for answer, reply in mine if reply.text is not None]
        assert len(changed) / len(mine) > least
        assert all(text_key(answer) != text_key(text) for answer, text in changed)
        assert {reply.failure for _, reply in mine} == {None, NOTHING_TO_CHANGE}


def test_every_report_of_iu_xray_gets_a_wrong_version(shared_data: Path) -> None:
    splits = json.loads((shared_data / "iu_xray" / "annotation.json").read_text(encoding="utf-8"))
    reports = [row["report"] for rows in splits.values() for row in rows][::10]
    replies = Rules().rewrite([RewriteRequest(text, "", seed, "chest x-ray") for seed, text in enumerate(reports)])
    assert len(reports) == 296
    assert sum(reply.text is not None for reply in replies) / len(reports) > 0.99
    lengths = [len(reply.text) / len(text) for text, reply in zip(reports, replies, strict=True) if reply.text]
    assert sum(lengths) / len(lengths) == pytest.approx(1, abs=0.02)  # a wrong report is as long as its own
