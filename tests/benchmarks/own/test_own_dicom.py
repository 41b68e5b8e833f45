"""A folder of DICOM files: shown as headers ask, divided by the patients in them; no tag reaches an example."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicoms import dicom
from own_folders import png, row, write

from clincot import images
from clincot.benchmarks import load
from clincot.benchmarks.own import OwnData
from clincot.benchmarks.own.reading import Contents
from clincot.errors import DataError


def contents(folder: Path) -> Contents:
    benchmark = load(str(folder))
    assert isinstance(benchmark, OwnData)
    return benchmark.contents(folder)


def series(folder: Path, patients: list[str]) -> Path:
    rows = [row(i) | {"file_name": f"study/IM{i:04}"} for i in range(len(patients))]
    write(folder, rows, declared="patient: dicom:PatientID\nmodality: chest x-ray\n")
    (folder / "study").mkdir()
    for i, patient in enumerate(patients):
        values = np.full((6, 8), 40 + i, np.uint8)
        (folder / f"study/IM{i:04}").write_bytes(dicom(values, PatientID=patient, PatientName="Doe^Jane"))
    return folder


def test_dicom_files_are_divided_by_the_patient_of_their_header(tmp_path: Path) -> None:
    made = contents(series(tmp_path / "ward", [f"P{i % 12}" for i in range(36)]))
    patients = [{made.patients[e.id] for e in examples} for examples in made.examples.values()]
    assert all(patients) and not set.intersection(*patients) and sum(map(len, patients)) == 12
    example = made.examples["train"][0]
    assert images.decode(example.encoded()).size == (8, 6)
    told = f"{example.id} {example.image_id} {example.image_label} {example.own_id} {example.kind}"
    assert not any(word in told for word in ("P1", "Doe", "IM00"))


def test_a_tag_that_is_no_keyword_and_an_image_that_is_no_dicom_are_named(tmp_path: Path) -> None:
    folder = series(tmp_path / "ward", ["P1", "P2"])
    (folder / "clincot.yaml").write_text("patient: dicom:PatientNumber\n")
    with pytest.raises(DataError, match="row 1: dicom:PatientNumber: DICOM knows no such keyword"):
        contents(folder)
    (folder / "clincot.yaml").write_text("patient: dicom:PatientID\n")
    (folder / "study/IM0001").write_bytes(png(3))
    with pytest.raises(DataError, match="row 2: its image is no DICOM file"):
        contents(folder)


def test_a_folder_in_place_of_a_slice_is_a_broken_row(tmp_path: Path) -> None:
    folder = series(tmp_path / "ward", ["P1"])
    write(folder, [{"file_name": "study", "question": "What?", "answer": "x"}])
    with pytest.raises(DataError, match="row 1: its image 'study' is a folder: name the one slice or view"):
        contents(folder)
