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

from clincot.benchmarks import cut_of, load
from clincot.benchmarks.vqa_rad import pair_facts
from clincot.benchmarks.vqa_rad_by_image import in_test
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
from clincot.stages.evaluate import Evaluation
from clincot.stages.evaluate.files import facts
from clincot.stages.evaluate.tables import title


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
    by_image = {split: load("vqa-rad-by-image").examples(tmp_path, split) for split in ("train", "test")}
    sizes = {split: (len(some), len({e.image_id for e in some})) for split, some in by_image.items()}
    assert sizes == {"train": (1789, 250), "test": (455, 64)}
    assert not {e.image_id for e in by_image["train"]} & {e.image_id for e in by_image["test"]}
    assert Counter(e.answer_type for e in by_image["test"]) == {"closed": 274, "open": 181}
    assert {e.modality for e in by_image["test"]} == {"chest x-ray", "ct", "other"}
    # The same questions with the same facts, under ids that name their official place.
    both = {e.id.removeprefix("vqa-rad-by-image/"): e for some in by_image.values() for e in some}
    official = {e.id.removeprefix("vqa-rad/"): e for e in (*train, *test)}
    assert {i: (e.question, e.answer, e.answer_type, e.kind) for i, e in both.items()} == {
        i: (e.question, e.answer, e.answer_type, e.kind) for i, e in official.items()
    }


def test_the_side_of_an_image_depends_on_its_own_questions_alone() -> None:
    images = [[(f"is it {i}?", "yes"), (f"where is {i}?", "left")] for i in range(500)]
    sides = [in_test(pairs) for pairs in images]
    assert sides == [in_test(pairs[::-1]) for pairs in images]
    assert 70 < sum(sides) < 130


def test_both_benchmarks_say_how_train_and_test_are_parted() -> None:
    official, by_image = load("vqa-rad").source, load("vqa-rad-by-image").source
    assert (official.repo, official.sha) == (by_image.repo, by_image.sha)
    assert "202 of its 203 test images" in official.cut and "no test image is in train" in by_image.cut
    assert by_image.own_cut and not official.own_cut
    assert cut_of("vqa-rad") == official.cut and cut_of("phantom") == cut_of("unknown") == ""
    evaluation = Evaluation("vqa-rad-by-image", "clincot-v2", "test", (), (), (), {}, {}, cut=by_image.cut)
    assert title(evaluation, "clincot-v2") == (
        "vqa-rad-by-image test (cut by image: no test image is in train), protocol clincot-v2"
    )
    assert facts(evaluation)["cut"] == by_image.cut
