"""`clincot benchmarks check` at the command line, and what a push of DICOM files holds: no name and no date."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import SMALL, clincot
from dicoms import dicom

from clincot.hub import connect
from clincot.phantom.dataset import image_rows
from clincot.phantom.drawing.draw import draw
from clincot.records.lineage import Kind

RELEASES: tuple[tuple[Kind, str], ...] = (
    ("dataset", "demo/ward-preferences"),
    ("model", "demo/ward"),
    ("dataset", "demo/ward-results"),
)
SECRETS = (b"Doe", b"Jane", b"DOE", b"1950", b"2019031", b"Miller")


def ward(folder: Path, declared: str) -> Path:
    """Radiographs of the phantom as DICOM files of patients, with the phantom's questions."""
    folder.mkdir()
    rows = []
    for i in range(12):
        tags = {"PatientName": "Doe^Jane", "PatientID": f"DOE{i}", "PatientBirthDate": "19500312"}
        file = dicom(draw(3, i).image, StudyDate="20190312", OperatorsName="Miller", BurnedInAnnotation="NO", **tags)
        (folder / f"DOE_Jane_{i}.dcm").write_bytes(file)
        asked = ({"question": row["question"], "answer": row["answer"]} for row in image_rows(3, i))
        rows += [{"file_name": f"DOE_Jane_{i}.dcm"} | one for one in asked]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "clincot.yaml").write_text(f"patient: dicom:PatientID\nmodality: phantom\ntest: 0.3\n{declared}")
    return folder


def test_the_report_of_data_with_a_fault_ends_with_exit_code_2(tmp_path: Path) -> None:
    folder = ward(tmp_path / "ward", "")
    out, _ = clincot("benchmarks", "check", str(folder), "--json", cwd=tmp_path)
    report = json.loads(out)
    assert report["privacy"] == "restricted" and report["splits"]["train"]["patients"] > 0
    assert not any(secret.decode() in out for secret in SECRETS)
    (folder / "DOE_Jane_3.dcm").write_bytes(b"nothing")
    (folder / "clincot.yaml").write_text("most_broken: 0.5\n")
    out, err = clincot("benchmarks", "check", str(folder), cwd=tmp_path, code=2)
    assert "fault: images cannot be read (1)" in out and "listed above" in err and "Traceback" not in err


@pytest.mark.long
def test_no_name_and_no_date_of_a_header_is_in_what_is_pushed(tmp_path: Path) -> None:
    folder = ward(tmp_path / "ward", "privacy: consented\nlicence: cc-by-4.0\n")
    clincot("run", "--push", "--benchmark", str(folder), "--name", "ward", *SMALL, "--set=rounds=1", cwd=tmp_path)
    _, err = clincot("build-data", "--name", "ward", "--push", "--public", cwd=tmp_path, code=2)
    assert "is consented" in err
    with connect(f"local:{tmp_path / 'clincot-hub'}", main=False) as hub:
        pushed = {}
        for kind, repo in RELEASES:
            pin = hub.resolve(kind, repo, "round-1")
            pushed |= {f"{repo}/{path}": hub.read(pin, path) for path in hub.list_files(pin)}
    rows = [path for path in pushed if path.endswith(".parquet")]
    assert rows and any(path.endswith("README.md") for path in pushed)
    images = 0
    for path in rows:
        (tmp_path / "rows.parquet").write_bytes(pushed[path])
        values = pq.read_table(tmp_path / "rows.parquet").to_pylist()
        pushed[path] = repr(values).encode()
        images += pushed[path].count(b"PNG")
    assert images
    found = [(path, secret) for path, data in pushed.items() for secret in SECRETS if secret in data]
    assert not found, found
