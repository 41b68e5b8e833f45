"""Structured reports, lists, tables and markdown against their prose twins; requests and refusals are no findings."""

from __future__ import annotations

import pytest

from clincot.metrics import load, load_score
from clincot.metrics.findings.labeler import findings, positives, refused
from tests.metrics.golden import T5, reference_reports

NORMAL = "No pneumothorax. No pleural effusion. No consolidation. The heart is not enlarged."
SICK = "There is mild cardiomegaly. No edema. Small bilateral pleural effusions. No pneumothorax."
NORMALS = [
    "Pneumothorax: none\nPleural effusion: absent\nConsolidation: no\nHeart: not enlarged",
    "- **Pneumothorax**: None\n- **Pleural effusion:** Not seen\n- **Consolidation**: nil\n- **Heart**: normal",
    "| Finding | Status |\n|---|---|\n| Pneumothorax | - |\n| Pleural effusion | None |\n| Consolidation | Negative |",
    "## Pneumothorax\nNone.\n\n## Pleural effusion\nNo evidence.\n\n## Consolidation\nAbsent.\n\n## Heart\nNormal.",
    "<ul><li>No pneumothorax</li><li>No effusion</li><li>No consolidation</li></ul>",
    '{"pneumothorax": "absent", "pleural effusion": false, "consolidation": "none", "cardiomegaly": "no"}',
    "Absent:\n- pneumothorax\n- effusion\n- consolidation",
    "Pneumothorax? No. Effusion? No. Consolidation? No.",
    "No pneumothorax or\npleural effusion. No\nconsolidation. The heart is\nnot enlarged.",
]
SICKS = [
    "- **Cardiomegaly**: Mild\n- **Edema**: None\n- **Pleural effusion**: Small, bilateral\n- **Pneumothorax**: None",
    "Mild cardiomegaly\nNo edema\nSmall bilateral effusions\nNo pneumothorax",
    "1. Mild cardiomegaly 2. No edema 3. Small bilateral effusions 4. No pneumothorax",
    "• Mild cardiomegaly • No edema • Small bilateral effusions • No pneumothorax",
    "| | Present | Absent |\n|--|--|--|\n| Cardiomegaly | x | |\n"
    "| Edema | | x |\n| Effusion | x | |\n| Pneumothorax | | x |",
    "Cardiomegaly: yes; edema: no; effusion: none on the right, small on the left; pneumothorax: no",
    "[x] Cardiomegaly\n[ ] Edema\n[x] Pleural effusion\n[ ] Pneumothorax",
    "Heart: enlarged\nEdema — none\nEffusion — small, bilateral\nPneumothorax — none",
]
REFUSALS = [
    "I cannot interpret medical images.",
    "I\u2019m sorry, but I can\u2019t analyze this X-ray for pneumonia or effusion. Please consult a radiologist.",
    "As an AI language model, I am not able to view images.",
    "The image is not clear enough to make a diagnosis.",
    "The image quality is too poor to assess for pneumothorax.",
    "I am not a doctor and cannot diagnose pneumonia from this image.",
    "No image was provided.",
    "I can't comply with this request.",
]


@pytest.mark.parametrize("text", NORMALS)
def test_a_normal_report_in_any_form_is_its_prose_twin(text: str) -> None:
    assert positives(text) == positives(NORMAL) == {"No Finding"}
    assert findings(text)["Pneumothorax"] == findings(text)["Consolidation"] == "negative"
    assert load_score("hallucination_rate").of([text], [T5]) == 0.0


@pytest.mark.parametrize("text", SICKS)
def test_a_report_with_findings_in_any_form_is_its_prose_twin(text: str) -> None:
    assert positives(text) == positives(SICK) == {"Cardiomegaly", "Pleural Effusion"}
    assert findings(text)["Edema"] == findings(text)["Pneumothorax"] == "negative"


def test_the_real_references_say_the_same_with_a_sentence_a_line() -> None:
    for text in reference_reports():
        assert findings(text.replace(". ", "\n")) == findings(text), text
        assert findings(text.lower().replace(". ", "\n")) == findings(text), text
        assert findings("- " + text.replace(". ", "\n- ")) == findings(text), text


def test_a_heading_without_a_value_states_nothing() -> None:
    assert "Pneumothorax" not in findings("Pneumothorax:\n\nImpression: Cardiomegaly.")
    assert findings("Pleural effusion: no change.")["Pleural Effusion"] == "positive"
    assert "Pneumothorax" not in findings("Pneumothorax: not assessed. Cardiomegaly.")


def test_the_reason_for_an_image_is_no_finding() -> None:
    report = "INDICATION: CHF, rule out pneumonia.\nCOMPARISON: Film with effusion.\n\nFINDINGS: Lungs are clear."
    assert findings(report) == {"No Finding": "positive"}
    assert findings("HISTORY: Lung cancer. Fall.\n\nIMPRESSION: Rib fracture.") == {"Fracture": "positive"}


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_counted_apart_and_is_no_normal_report(text: str) -> None:
    assert refused(text)
    assert findings(text) == {}


def test_a_report_is_no_refusal_for_its_doubts_or_its_disclaimer() -> None:
    assert findings("I cannot exclude pneumonia on this image.") == {"Pneumonia": "uncertain"}
    assert findings("I cannot see any pneumothorax on this image.")["Pneumothorax"] == "negative"
    assert findings("I'm not qualified to read X-rays, but there is an effusion.") == {"Pleural Effusion": "positive"}
    assert findings("I can't give medical advice. The lungs are clear.") == {"No Finding": "positive"}
    assert not any(refused(text) for text in (*reference_reports(), T5, SICK, ""))


def test_the_scores_count_refusals() -> None:
    said = [REFUSALS[0], T5, "Small effusion."]
    wanted = ["Small effusion.", T5, "Small effusion."]
    assert load_score("report_refused").of(said, wanted) == pytest.approx(1 / 3)
    assert load("hallucination_rate").compute(predictions=said, references=wanted) == {
        "hallucination_rate": 0.0,
        "refused": 1.0,
    }
    # the refusal misses the effusion, and is no hit on a normal reference either
    assert load_score("omission_rate").of(said, wanted) == 0.5
    assert load_score("chexpert_micro_f1").of([REFUSALS[0]], [T5]) == 0.0


def test_the_first_labeler_stays_under_its_name() -> None:
    """The protocol clincot-v1 is frozen: it reads the fault that the newer labeler does not have."""
    text = "Pneumothorax: none"
    assert load_score("hallucination_rate", "uncertain-positive-v1").of([text], [T5]) == 1.0
    assert load_score("hallucination_rate", "uncertain-positive").of([text], [T5]) == 0.0
    assert load_score("chexpert_micro_f1", "uncertain-negative-v1").of([REFUSALS[0]], [T5]) == 1.0
