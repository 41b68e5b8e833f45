"""Sentences of chest reports with labels assigned by hand: negation, doubt, reach, words, other organs, formats."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from clincot.metrics.findings.labeler import findings
from tests.metrics.golden import SHARED

HERE = Path(__file__).parent
CODES = {
    "NF": "No Finding", "EC": "Enlarged Cardiomediastinum", "CM": "Cardiomegaly", "LO": "Lung Opacity",
    "LL": "Lung Lesion", "ED": "Edema", "CO": "Consolidation", "PN": "Pneumonia", "AT": "Atelectasis",
    "PX": "Pneumothorax", "EF": "Pleural Effusion", "PO": "Pleural Other", "FX": "Fracture", "SD": "Support Devices",
}  # fmt: skip
STATES = {"+": "positive", "?": "uncertain", "-": "negative", "*": "*"}


def sentences(name: str) -> list[tuple[str, str, dict[str, str]]]:
    """Return (kind, text, labels) of each line `kind|text|+CM -EF ?PN`; `\\\\n` is a line break, `\\\\|` a bar."""
    rows = []
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        kind, text, labels = line.replace("\\|", "\0").split("|")
        text = text.replace("\\n", "\n").replace("\\r", "\r").replace("\0", "|")
        rows.append((kind, text, {CODES[code[1:]]: STATES[code[0]] for code in labels.split()}))
    return rows


def wrong(text: str, wanted: dict[str, str]) -> dict[str, tuple[str, str]]:
    """The labels that are read otherwise; a denied finding may also go unmentioned, `*` is not judged."""
    read = findings(text)
    told = {
        label: read.get(label, "negative" if state == "negative" else "unmentioned") for label, state in wanted.items()
    }
    return {label: (told[label], state) for label, state in wanted.items() if state not in ("*", told[label])}


@pytest.mark.parametrize("name", ["finding_sentences_1.txt", "finding_sentences_2.txt", "finding_sentences_3.txt"])
def test_each_sentence_has_the_labels_written_behind_it(name: str) -> None:
    rows = sentences(name)
    assert len(rows) >= 70
    assert {kind for kind, _, _ in rows} == {"neg", "unc", "scope", "word", "else", "fmt"}
    assert not {text: faults for _, text, wanted in rows if (faults := wrong(text, wanted))}


def test_at_least_nine_in_ten_of_the_collected_sentences_are_fully_right() -> None:
    file = SHARED.parent / "cases" / "labeler-sentences" / "sentences.json"
    if not file.is_file():
        pytest.skip(f"{file} is absent (set CLINCOT_SHARED)")
    rows = json.loads(file.read_text(encoding="utf-8"))
    right = Counter(row["kind"] for row in rows if not wrong(row["text"], row["labels"]))
    assert right.total() >= 0.9 * len(rows), right
