"""`clincot benchmarks check`: what data hold, what is wrong with them, what may name a person; nothing is quoted."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
from dicoms import dicom
from PIL import Image

from clincot.benchmarks.own.naming import kinds_in
from clincot.errors import DataError
from clincot.runs.data_check.check import CheckedData, check_data
from clincot.runs.data_check.finding import Finding
from clincot.runs.data_check.held import read_held
from clincot.runs.data_check.lines import lines_of
from clincot.runs.redistribution.licences import check_public

PUBLIC = "privacy: public\nlicence: cc0-1.0\n"


def checked(folder: Path) -> CheckedData:
    return check_data(read_held(str(folder), "local:absent", "", print))


def finding(data: CheckedData, what: str) -> Finding | None:
    return next((one for one in data.findings if what in one.what), None)


def image(path: Path, shade: int, side: int = 40, **options: object) -> None:
    pixels = np.full((side, side), shade, np.uint8)
    pixels[0, 0] = 255 - shade
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)  # type: ignore[arg-type]


def table(folder: Path, rows: list[dict[str, str]], declared: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    filled = [{"question": "Is there fluid?", "answer": "yes" if i % 2 else "no"} | row for i, row in enumerate(rows)]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in filled), encoding="utf-8")
    (folder / "clincot.yaml").write_text(declared, encoding="utf-8")
    return folder


def ward(folder: Path, declared: str = "", **tags: str) -> Path:
    """Twelve DICOM files of six patients; the fourth says that text is burned in."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(12):
        own = {
            "PatientName": "Doe^Jane",
            "PatientID": f"P{i // 2}",
            "PatientBirthDate": "19500312",
            "BurnedInAnnotation": "YES" if i == 3 else "NO",
        }
        values = rng.integers(0, 4000, (48, 48)).astype(np.uint16)
        (folder / f"IM{i}.dcm").write_bytes(dicom(values, **(own | (tags if i == 5 else {}))))
    rows = [{"file_name": f"IM{i}.dcm"} for i in range(12)]
    return table(folder, rows, f"patient: dicom:PatientID\ntest: 0.4\n{declared}")


def test_sound_data_have_counts_and_no_fault(tmp_path: Path) -> None:
    for i in range(10):
        image(tmp_path / f"d/{i}.png", 10 * i + 10, side=40 + i)
    data = checked(table(tmp_path / "d", [{"file_name": f"{i}.png"} for i in range(10)], "test: 0.4\n"))
    assert not data.findings and data.rows == 10 and data.left_out == 0
    assert sum(split.questions for split in data.splits.values()) == 10 and set(data.splits) == {"train", "test"}
    assert data.sizes == ((40, 40), (44, 44), (49, 49)) and data.modes == {"PNG L": 10}
    json.dumps(dataclasses.asdict(data))


def test_equal_pixels_in_two_splits_are_a_fault_whatever_their_bytes(tmp_path: Path) -> None:
    for i in range(4):
        image(tmp_path / f"d/{i}.png", 10 * i + 10)
    image(tmp_path / "d/again.bmp", 10)
    image(tmp_path / "d/copy.bmp", 20)
    splits = {"0.png": "train", "1.png": "train", "2.png": "train", "3.png": "test", "again.bmp": "test"}
    rows = [{"file_name": name, "split": split} for name, split in (splits | {"copy.bmp": "train"}).items()]
    data = checked(table(tmp_path / "d", rows))
    crossing, copies = finding(data, "in two splits by their pixels"), finding(data, "are copies of others")
    assert crossing is not None and crossing.fault
    assert crossing.cases == ("test: metadata.jsonl row 5 = train: metadata.jsonl row 1",)
    assert copies is not None and not copies.fault
    assert copies.cases == ("train: metadata.jsonl row 6 = train: metadata.jsonl row 2",)


def test_a_patient_in_two_splits_and_a_split_that_is_missing_are_faults(tmp_path: Path) -> None:
    for i in range(3):
        image(tmp_path / f"d/{i}.png", 10 * i + 10)
    rows = [
        {"file_name": "0.png", "split": "train", "patient": "A"},
        {"file_name": "1.png", "split": "validation", "patient": "A"},
        {"file_name": "2.png", "split": "train", "patient": "B"},
    ]
    data = checked(table(tmp_path / "d", rows, "patient: patient\n"))
    crossing, missing = finding(data, "patients are in two splits"), finding(data, "splits are missing")
    assert crossing is not None and crossing.fault and crossing.count == 1
    assert "row 1 (train)" in crossing.cases[0] and "row 2 (validation)" in crossing.cases[0]
    assert missing is not None and "no test split" in missing.cases[0]


def test_what_cannot_be_read_and_what_is_left_out_is_named_by_its_row(tmp_path: Path) -> None:
    for i in range(6):
        image(tmp_path / f"d/{i}.png", 10 * i + 10, side=20 if i == 2 else 40)
    (tmp_path / "d/1.png").write_bytes(b"no image")
    rows = [{"file_name": f"{i}.png"} for i in range(6)]
    rows[4]["answer"] = ""
    data = checked(table(tmp_path / "d", rows, "most_broken: 0.5\ntest: 0.5\n"))
    unread, left_out, small = (finding(data, what) for what in ("cannot be read", "left out", "below 32"))
    assert unread is not None and unread.fault and unread.cases[0].startswith("metadata.jsonl row 2")
    assert left_out is not None and left_out.cases[0].startswith("metadata.jsonl row 5") and data.left_out == 1
    assert small is not None and "20x20" in small.cases[0]


@pytest.mark.parametrize("declared", ["", PUBLIC])
def test_a_folder_of_dicom_files_is_examined_without_quoting_it(tmp_path: Path, declared: str) -> None:
    folder = ward(tmp_path / "ward", declared, PatientName="Roe^Richard")
    row = {"file_name": "IM0.dcm", "question": "Did Dr. Miller see this on 12.3.2019?", "answer": "no"}
    with (folder / "metadata.jsonl").open("a") as lines:
        lines.write(json.dumps(row) + "\n" + json.dumps(row | {"question": "Is Jane well?"}) + "\n")
    data = checked(folder)
    fields, burned, texts = (finding(data, what) for what in ("fields of DICOM", "burned into", "texts may name"))
    assert fields is not None and "PatientName in 12 files" in fields.cases
    assert burned is not None and burned.cases == ("metadata.jsonl row 4",) and burned.fault == bool(declared)
    assert texts is not None and texts.fault == bool(declared)
    assert texts.cases == (
        "ward/12: its question has a date",
        "ward/12: its question has a name",
        "ward/13: its question has a name",
    )
    clash = finding(data, "two names or days of birth")
    assert clash is not None and clash.fault and clash.count == 1
    said = "\n".join(lines_of(data)) + json.dumps(dataclasses.asdict(data))
    assert not any(word in said for word in ("Doe", "Jane", "Roe", "Richard", "Miller", "1950", "12.3"))
    with pytest.raises(DataError, match="row 4 of ./ward says that text is burned" if declared else "is restricted"):
        check_public(str(folder), private=False)
    check_public(str(folder), private=True)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Is there a nodule of 12 mm in segment 3?", set()),
        ("T2 at 1.5 T, slice 12/30", set()),
        ("seen 2019-03-12", {"date"}),
        ("CXR 3/12/19", {"date"}),
        ("on March 12, 2019", {"date"}),
        ("am 12. März 2019", {"date"}),
        ("scan_20190312", {"date"}),
        ("MRN 00482913", {"number"}),
        ("ask a.b@ward.org", {"mail address"}),
        ("Compared by Dr. Smith", {"name"}),
        ("Patient: Smith", {"name"}),
        ("smith^anna", {"name"}),
        ("the dr saw no name", set()),
        ("White lung, says white", {"name"}),
    ],
)
def test_kinds_of_what_identifies(text: str, kinds: set[str]) -> None:
    assert kinds_in(text, frozenset({"white"})) == kinds


def test_notes_of_files_are_found(tmp_path: Path) -> None:
    for i in range(4):
        image(tmp_path / f"d/{i}.png", 10 * i + 10)
    exif = Image.Exif()
    exif[0x013B] = "Jane Doe"
    image(tmp_path / "d/4.jpg", 70, exif=exif)
    data = checked(table(tmp_path / "d", [{"file_name": f"{i}.png"} for i in range(4)] + [{"file_name": "4.jpg"}]))
    notes = finding(data, "EXIF")
    assert notes is not None and notes.cases == ("metadata.jsonl row 5",)


def test_the_benchmark_of_the_package_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clincot.phantom import publish
    from clincot.phantom.dataset import phantom_files

    def small(hub: object, repo: str, say: object) -> None:
        files = phantom_files(tmp_path / "drawn", seed=0, train=2, validation=1, test=2)
        hub.publish("dataset", repo, files, tag=None, message="drawn", private=False)  # type: ignore[attr-defined]

    monkeypatch.setattr(publish, "publish_dataset", small)
    data = check_data(read_held("phantom", f"local:{tmp_path / 'hub'}", "", print))
    assert data.splits["train"].images == 2 and not data.faults, data.findings


def test_images_with_notes_are_carried_as_their_pixels() -> None:
    from clincot import images
    from clincot.images.views import carried

    plain, noted = io.BytesIO(), io.BytesIO()
    exif = Image.Exif()
    exif[0x013B] = "Jane Doe"
    exif[0x0112] = 6  # turned by a quarter
    picture = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).convert("RGB")
    picture.save(plain, "PNG")
    picture.save(noted, "PNG", exif=exif)
    assert carried(plain.getvalue(), "a") == plain.getvalue()
    made = carried(noted.getvalue(), "a")
    assert b"Jane" in noted.getvalue() and b"Jane" not in made
    assert images.decode(made).tobytes() == images.decode(noted.getvalue()).tobytes()
    values = np.arange(48, dtype=np.uint16).reshape(6, 8)
    file = dicom(values, PatientName="Doe^Jane")
    assert images.decode(carried(file, "a")).tobytes() == images.decode(file).tobytes()
    assert b"Jane" not in carried(file, "a")


@pytest.mark.parametrize(
    ("name", "declared", "why"),
    [
        ("ward", PUBLIC, ""),
        ("ward", "", "is restricted"),
        ("ward", "privacy: consented\nlicence: mit\n", "is consented"),
        ("ward", "privacy: public\n", "declares no licence"),
        ("mimic-cxr", PUBLIC, "looks like MIMIC data, which are restricted by their agreement"),
    ],
)
def test_it_says_why_nothing_may_be_public(name: str, declared: str, why: str, tmp_path: Path) -> None:
    image(tmp_path / name / "a.png", 90)
    data = checked(table(tmp_path / name, [{"file_name": "a.png"}], declared))
    assert data.no_public_push == why and any(why in line for line in lines_of(data) if "--public" in line) is bool(why)
