"""VQA-RAD: the release becomes the files of its Hub copy, and the copy's answer types come back."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from PIL import Image

from clincot.benchmarks import load
from clincot.benchmarks.vqa_rad import pair_facts
from clincot.benchmarks.vqa_rad_release import (
    ANNOTATIONS,
    TABLE,
    answer_types,
    clean,
    hub_splits,
    pair_hash,
    read_release,
    vqa_rad_files,
)
from clincot.errors import DataError


def entry(image: str, question: str, answer: object, phrase: str = "freeform", **other: str) -> dict[str, object]:
    return {
        "image_name": image,
        "question": question,
        "answer": answer,
        "phrase_type": phrase,
        "answer_type": other.get("answer_type", "CLOSED "),
        "image_organ": other.get("organ", "CHEST "),
        "question_type": other.get("question_type", "PRSE"),
    }


@pytest.fixture
def drawn_release(tmp_path: Path) -> Path:
    """A release of three drawn images with every quirk of the real one."""
    folder = tmp_path / "release"
    (folder / "images").mkdir(parents=True)
    for i, name in enumerate(("a.jpg", "b.jpg", "c.jpg")):
        Image.new("RGB", (30 + i, 20), (90 * i, 10, 10)).save(folder / "images" / name)
    rows = [
        entry("a.jpg", "Is the heart  large ?", "Yes"),
        entry("a.jpg", "Is the heart  large ?", "Yes"),
        entry("b.jpg", "How many lesions?", 4, answer_type="OPEN", organ="HEAD", question_type="COUNT, POS"),
        entry("a.jpg", "Is it a CT?", "No", phrase="test_para"),
        entry("a.jpg", "Is it a CT?", "No"),
        entry("b.jpg", "Is the heart  large ?", "Yes", phrase="test_freeform"),
    ]
    (folder / ANNOTATIONS).write_text(json.dumps(rows), encoding="utf-8-sig")
    return folder


def test_quirks_of_the_release_are_read_and_its_four_kinds_of_repetition_dropped(drawn_release: Path) -> None:
    rows = read_release(drawn_release)
    assert rows[0].question == "is the heart large?"
    assert (rows[0].answer_type, rows[0].organ, rows[0].kind) == ("CLOSED", "CHEST", "PRES")
    assert (rows[2].answer, rows[2].kind) == ("4", "COUNT")
    splits = hub_splits(rows)
    assert [row.triplet for row in splits["train"]] == [
        ("is the heart large?", "yes", "a.jpg"),
        ("how many lesions?", "4", "b.jpg"),
    ]
    assert [row.answer for row in splits["test"]] == ["no", "yes"]


def test_the_files_load_with_datasets_and_with_the_benchmark(drawn_release: Path, tmp_path: Path) -> None:
    files = vqa_rad_files(drawn_release, tmp_path / "hub")
    loaded = load_dataset(str(tmp_path / "hub"), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded[1]["image"].size == (31, 20)
    assert loaded.column_names == ["image", "question", "answer"]
    assert sorted(path.split("-")[0] for path in files) == ["README.md", "data/test", "data/train"]
    examples = load("vqa-rad").examples(tmp_path / "hub", "test")
    assert [e.id for e in examples] == ["vqa-rad/test/0", "vqa-rad/test/1"]
    assert Image.open(io.BytesIO(examples[0].encoded())).size == (30, 20)


def test_a_repeated_image_is_stored_once(drawn_release: Path, tmp_path: Path) -> None:
    noise = Image.effect_noise((300, 300), 90)
    noise.save(drawn_release / "images" / "c.jpg")
    rows = [entry("c.jpg", f"Question {i}?", "Yes") for i in range(200)] + [entry("a.jpg", "x?", "y", "test_para")]
    (drawn_release / ANNOTATIONS).write_text(json.dumps(rows), encoding="utf-8-sig")
    files = vqa_rad_files(drawn_release, tmp_path / "hub")
    train = next(path for name, path in files.items() if name.startswith("data/train"))
    assert train.stat().st_size < 1.3 * (drawn_release / "images" / "c.jpg").stat().st_size
    examples = load("vqa-rad").examples(tmp_path / "hub", "train")
    assert len({id(e.image) for e in examples}) == 1  # and once on disk


def test_an_incomplete_release_is_refused(drawn_release: Path, tmp_path: Path) -> None:
    (drawn_release / "images" / "b.jpg").unlink()
    with pytest.raises(DataError, match=r"b\.jpg: not found"):
        vqa_rad_files(drawn_release, tmp_path / "hub")
    with pytest.raises(DataError, match="osf.io/89kps"):
        read_release(tmp_path)


def test_a_pair_with_two_answer_types_is_named_and_gets_no_hash(drawn_release: Path) -> None:
    rows = [entry("a.jpg", "Size?", "big"), entry("b.jpg", "size?", "Big", answer_type="OPEN")]
    (drawn_release / ANNOTATIONS).write_text(json.dumps(rows), encoding="utf-8-sig")
    assert answer_types(read_release(drawn_release)) == {"ambiguous": ["size? | big"]}


def test_the_hash_is_blind_to_case_and_spacing_and_unknown_pairs_go_by_their_answer() -> None:
    assert clean("Is it ?\t") == "is it?"
    assert pair_hash("Is  it ?", "YES ") == pair_hash("is it?", "yes")
    assert pair_facts("never asked?", "No").answer_type == "closed"
    assert pair_facts("never asked?", "Lung").answer_type == "open"


def test_the_committed_table_is_what_the_release_gives(shared_data: Path) -> None:
    table = answer_types(read_release(shared_data / "vqa_rad"))
    assert json.loads(TABLE.read_text()) == table
    assert table["ambiguous"] == []
    assert sum(map(len, table.values())) == 2086


def test_the_whole_release_gives_the_rows_of_the_hub_copy(shared_data: Path, tmp_path: Path) -> None:
    files = vqa_rad_files(shared_data / "vqa_rad", tmp_path)
    rows = {name.split("/")[1][:5]: pq.read_metadata(path).num_rows for name, path in files.items() if "/" in name}
    assert rows == {"train": 1793, "test-": 451}
    test = load("vqa-rad").examples(tmp_path, "test")
    train = load("vqa-rad").examples(tmp_path, "train")
    assert Counter(e.answer_type for e in test) == {"closed": 272, "open": 179}
    assert len({(e.question, e.answer, e.image_id) for e in test}) == 451
    tested, trained = ({e.image_id for e in split} for split in (test, train))
    assert (len(tested), len(tested & trained)) == (203, 202)
    assert train[0].question == "are regions of the brain infarcted?"  # the first row of the Hub's viewer
    assert {e.modality for e in test} == {"chest x-ray", "ct", "other"}
