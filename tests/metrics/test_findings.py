"""Rule-based labels against hand-made sentences, and their counts beside those of CheXbert on real reports."""

from __future__ import annotations

from collections import Counter

import pytest

from clincot.metrics.findings.labeler import findings, positives
from clincot.metrics.findings.phrases import LABELS
from tests.metrics.golden import T5, generated, read, reference_reports

NOTHING = {"No Finding": "positive"}
SENTENCES = [
    # stated
    ("There is a small left pleural effusion.", {"Pleural Effusion": "positive"}),
    ("Right-sided pneumothorax is present.", {"Pneumothorax": "positive"}),
    ("Mild cardiomegaly.", {"Cardiomegaly": "positive"}),
    ("The heart size is mildly enlarged.", {"Cardiomegaly": "positive"}),
    ("Enlarged cardiac silhouette.", {"Cardiomegaly": "positive"}),
    ("The mediastinum is widened.", {"Enlarged Cardiomediastinum": "positive"}),
    ("A 1.5 cm nodule in the right upper lobe.", {"Lung Lesion": "positive"}),
    ("Patchy infiltrate in the lingula.", {"Lung Opacity": "positive"}),
    ("Mild pulmonary vascular congestion.", {"Edema": "positive"}),
    ("Dense consolidation in the left lower lobe.", {"Consolidation": "positive"}),
    ("Findings are consistent with pneumonia.", {"Pneumonia": "positive"}),
    ("Bibasilar subsegmental atelectasis.", {"Atelectasis": "positive"}),
    ("Collapse of the right upper lobe; collapsed left lung.", {"Atelectasis": "positive"}),
    ("Bilateral pleural thickening.", {"Pleural Other": "positive"}),
    ("Healed fracture of the left sixth rib.", {"Fracture": "positive"}),
    ("Right internal jugular catheter tip in the SVC.", {"Support Devices": "positive", **NOTHING}),
    # denied
    ("No pleural effusion or pneumothorax.", {"Pleural Effusion": "negative", "Pneumothorax": "negative", **NOTHING}),
    ("There is no evidence of pneumonia.", {"Pneumonia": "negative", **NOTHING}),
    ("The lungs are clear without focal consolidation.", {"Consolidation": "negative", **NOTHING}),
    ("Lungs are free of infiltrate.", {"Lung Opacity": "negative", **NOTHING}),
    ("Negative for pneumothorax.", {"Pneumothorax": "negative", **NOTHING}),
    ("The heart is not enlarged.", {"Cardiomegaly": "negative", **NOTHING}),
    ("The previously seen opacity has cleared.", {"Lung Opacity": "negative", **NOTHING}),
    ("Right pneumothorax has resolved.", {"Pneumothorax": "negative", **NOTHING}),
    ("Effusion is no longer seen.", {"Pleural Effusion": "negative", **NOTHING}),
    ("Interval resolution of the edema.", {"Edema": "negative", **NOTHING}),
    ("Interval removal of the endotracheal tube.", {"Support Devices": "negative", **NOTHING}),
    ("Absence of consolidation.", {"Consolidation": "negative", **NOTHING}),
    ("Neither mass nor nodule is seen.", {"Lung Lesion": "negative", **NOTHING}),
    ("No evidence to suggest pneumonia.", {"Pneumonia": "negative", **NOTHING}),
    ("Pneumonia is unlikely.", {"Pneumonia": "negative", **NOTHING}),
    ("Acute fracture is not identified.", {"Fracture": "negative", **NOTHING}),
    (
        "No focal consolidation, large pleural effusion, or pneumothorax.",
        {"Consolidation": "negative", "Pleural Effusion": "negative", "Pneumothorax": "negative", **NOTHING},
    ),
    # doubted
    ("Possible small effusion.", {"Pleural Effusion": "uncertain"}),
    ("Cannot exclude pneumonia.", {"Pneumonia": "uncertain"}),
    ("Pneumothorax cannot be excluded.", {"Pneumothorax": "uncertain"}),
    ("Pneumonia is not excluded.", {"Pneumonia": "uncertain"}),
    ("Rule out fracture.", {"Fracture": "uncertain"}),
    ("The heart is at the upper limits of normal.", {"Cardiomegaly": "uncertain"}),
    ("Findings are suspicious for edema.", {"Edema": "uncertain"}),
    ("Evaluation for pneumothorax is limited.", {"Pneumothorax": "uncertain"}),
    ("Opacity may represent atelectasis.", {"Lung Opacity": "positive", "Atelectasis": "uncertain"}),
    (
        "Basilar opacity, atelectasis versus pneumonia.",
        {"Lung Opacity": "positive"} | {"Atelectasis": "uncertain", "Pneumonia": "uncertain"},
    ),
    # the reach of a cue
    ("No pneumothorax but a small effusion remains.", {"Pneumothorax": "negative", "Pleural Effusion": "positive"}),
    ("No pneumothorax, small left effusion.", {"Pneumothorax": "negative", "Pleural Effusion": "positive"}),
    ("No abnormality other than a tiny nodule.", {"Lung Lesion": "positive"}),
    ("No change in the right effusion.", {"Pleural Effusion": "positive"}),
    ("The effusion has not significantly changed.", {"Pleural Effusion": "positive"}),
    ("Atelectasis rather than pneumonia.", {"Atelectasis": "positive", "Pneumonia": "negative"}),
    ("No effusion on the left. Effusion on the right.", {"Pleural Effusion": "positive"}),
    ("Congestion without edema: vascular congestion without frank edema.", {"Edema": "positive"}),
    # not a finding
    ("Pericardial effusion.", NOTHING),
    ("Degenerative changes of the spine.", {}),
    ("No degenerative changes.", NOTHING),
    ("The lungs are clear.", NOTHING),
    ("", {}),
    (" . , 12", {}),
]


@pytest.mark.parametrize(("text", "told"), SENTENCES)
def test_each_sentence_is_read_as_written_beside_it(text: str, told: dict[str, str]) -> None:
    assert findings(text) == told
    assert findings(text.upper().replace(" ", "\n")) == told


def test_the_hand_made_list_is_long_and_names_every_label() -> None:
    assert len(SENTENCES) >= 50
    assert {label for _, told in SENTENCES for label in told} == set(LABELS)


def test_a_stated_mention_wins_over_a_doubted_and_a_denied_one() -> None:
    assert findings("No effusion. Possible effusion. Effusion.")["Pleural Effusion"] == "positive"
    assert findings("Possible effusion. No effusion.")["Pleural Effusion"] == "uncertain"
    assert positives("Possible effusion.") == {"Pleural Effusion"}
    assert positives("Possible effusion.", uncertain=False) == frozenset()


def test_a_normal_template_is_no_finding() -> None:
    assert positives(T5) == {"No Finding"}


def test_as_many_reports_of_the_test_split_are_normal_as_the_guide_says() -> None:
    """MeSH indexers call 307 of these 590 normal."""
    assert sum("No Finding" in positives(text) for text in reference_reports()) == 343


def test_counts_on_real_reports_stay_near_those_of_chexbert() -> None:
    """The published evaluation of the template counts, per label, how many references CheXbert calls positive."""
    _, references = generated("template")
    counts = {
        label: values["fn"]
        for label, values in read("report_golden/template_clinical_metrics.json")["chexbert"]["per_label"].items()
    }
    mine = Counter(label for text in references for label in positives(text, uncertain=False))
    assert sum(counts.values()) == 338
    for label, count in counts.items():
        assert abs(mine[label] - count) <= max(8, 0.3 * count), (label, count, mine[label])
