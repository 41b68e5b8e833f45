"""Files of other projects' rows: what is read, counted, left out and refused, and what the written pairs are."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image, PngImagePlugin

from clincot.errors import DataError
from clincot.rows import formats
from clincot.rows.formats.base import OtherPair
from clincot.stages.exchange.gold import read_gold
from clincot.stages.exchange.importing import ImportJob, ImportOutcome, import_rows
from clincot.stages.exchange.rules import KEEPABLE, Rules
from tests.objectives.rows import png

FORM = formats.load("mmedpo")


def turns(question: str, answer: str) -> list[dict]:
    return [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": answer}]


def row(image: str, chosen: str = "Yes", rejected: str = "No", weight: float = 1.0, **more: object) -> dict:
    asked = "Is there a nodule?"
    sides = {"conversations": turns(asked, chosen), "rejected_conversations": turns(asked, rejected)}
    return {"image": image, **sides, "weighted_score": weight} | more


@pytest.fixture
def job(tmp_path: Path) -> ImportJob:
    """Three images, and a job that reads `rows.json` about them."""
    (tmp_path / "images" / "in").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.png", "in/c.png")):
        (tmp_path / "images" / name).write_bytes(png(number))
    (tmp_path / "outside.png").write_bytes(png(9))
    return ImportJob((tmp_path / "rows.json",), FORM, tmp_path / "images", tmp_path / "out.parquet")


def imported(job: ImportJob, rows: list, **changes: object) -> tuple[ImportOutcome, list[dict]]:
    job.files[0].write_text(json.dumps(rows))
    outcome = import_rows(replace(job, **changes))
    return outcome, pq.read_table(job.path).to_pylist()


def test_rows_become_static_pairs_grouped_by_image_each_stored_once(job: ImportJob) -> None:
    rows = [row("a.png", weight=0.2), row("in/c.png", "Left"), row("./a.png", "Yes, one.", weight=0.8), row("b.png")]
    outcome, pairs = imported(job, rows)
    assert [pair["id"] for pair in pairs] == ["row-1/1/0", "row-3/1/0", "row-2/1/0", "row-4/1/0"]
    first, again = pairs[:2]
    assert first["images"] == again["images"] == [{"bytes": png(0), "path": first["images"][0]["path"]}]
    assert (first["prompt"], first["chosen"]) == ([{"role": "user", "content": "Is there a nodule?"}], "Yes")
    assert [pair["weight"] for pair in pairs] == pytest.approx([0.2, 0.8, 1.0, 1.0])
    assert {pair["method"] for pair in pairs} == {"imported"} and first["chosen_score"] is None
    assert "a.png" not in str(pairs)  # a file's name may be a patient's
    assert outcome.facts["weights"] == {"0.2": 1, "0.8": 1, "1": 2} and outcome.facts["images"] == 3
    assert outcome.digest == imported(job, rows)[0].digest
    assert outcome.digest != imported(job, [row("a.png", weight=0.3), *rows[1:]])[0].digest
    (job.images / "a.png").write_bytes(png(7))
    assert outcome.digest != imported(job, rows)[0].digest


def test_rules_leave_rows_out_and_count_each_by_the_first_that_it_breaks(job: ImportJob, tmp_path: Path) -> None:
    rows = [
        row("a.png"),
        row("a.png", "Yes", " yes "),
        row("a.png", "Yes", "Yes "),
        row("a.png", "​", "No"),
        row("a.png", weight=0),
        row("a.png", weight=-0.5),
        row("a.png", "Question: Is there a nodule?\n Yes", weight=0),
        row("a.png", "Question: Is there a nodule?\n Yes"),
        row("a.png", "Yes", "-Original Answer: Yes\n-Candidate Answer1: No"),
        row("a.png", "The patient asked a question: none."),
    ]
    plain = imported(job, rows)[0].report  # without the rules of MMedPO's texts
    assert dict(plain.dropped) == {
        "whose chosen and rejected text are equal": 1,
        "with an empty text": 1,
        "with weight 0": 2,
        "with a weight that is negative or not a number": 1,
    }
    rules = Rules(leaks=True)
    report = imported(job, rows, rules=rules)[0].report
    assert report.dropped["whose chosen text repeats a prompt"] == 1  # the other one has weight 0
    assert report.broken["whose chosen text repeats a prompt"] == 2
    assert report.dropped["whose rejected text repeats a prompt"] == 1
    kept, pairs = imported(job, rows, rules=rules, keep=frozenset(KEEPABLE["leak"]))
    assert kept.facts["pairs"] == len(pairs) == 5 and kept.facts["drops"]["rows with weight 0"] == 2


def test_chosen_texts_are_compared_with_the_gold_answers_of_image_and_question(job: ImportJob, tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    gold = [("a.png", "is there a nodule", "yes"), ("b.png", "Is there a nodule?", "No")]
    path.write_text("".join(json.dumps({"img_name": i, "question": q, "answer": a}) + "\n" for i, q, a in gold))
    rows = [row("a.png", " Yes."), row("b.png", "Yes"), row("in/c.png", "Yes")]
    rules = Rules(leaks=False, gold=read_gold(path))
    outcome, pairs = imported(job, rows, rules=rules)
    assert outcome.facts["chosen_and_gold"] == {"equal": 1, "other": 1, "unknown": 1}
    assert [pair["chosen"] for pair in pairs] == ["Yes.", "Yes"] and len(pairs) == 2
    path.write_text(json.dumps({"q": "x", "a": "y"}))
    with pytest.raises(DataError, match="it has a, q. Name the columns"):
        read_gold(path)


def test_margins_become_scores_where_they_are_asked_for(job: ImportJob) -> None:
    rows = [row("a.png", margin=0.4), row("a.png", "Left", margin=None), row("b.png", margin=-0.1)]
    form = formats.load("llava")
    for margin, scores in (("none", [None, None]), ("column", [0.4, 0.0]), ("1.5", [1.5, 1.5])):
        outcome, pairs = imported(job, rows, form=form, margin=margin)
        found = [pair["chosen_score"] for pair in pairs]
        assert found == (scores if None in scores else pytest.approx(scores)), margin
        assert outcome.report.dropped == {"with a margin below 0": 1} and outcome.report.margins == 2


def broken_rows(count: int) -> list:
    faulty: list = [row("absent.png"), "text", row("a.png", rejected_conversations=[]), {"image": "a.png"}]
    return [row("a.png", f"Yes {number}") for number in range(count)] + faulty


def test_few_rows_that_are_no_pairs_are_counted_and_many_are_refused(job: ImportJob) -> None:
    outcome, pairs = imported(job, broken_rows(400))
    assert len(pairs) == 400 and outcome.report.unfits.total() == 4
    assert outcome.facts["drops"] == {
        "rows that are no JSON object": 1,
        "rows whose image is missing": 1,
        "rows whose turns cannot be read": 1,
        "rows without 'conversations'": 1,
    }
    with pytest.raises(DataError, match=r"4 of 104 rows are no pairs: 1 whose image is missing: rows.json, row 101"):
        imported(job, broken_rows(100))
    assert len(imported(job, broken_rows(100), most_broken=0.05)[1]) == 100
    with pytest.raises(DataError, match="no pair is left of 1: 1 with weight 0"):
        imported(job, [row("a.png", weight=0)])
    with pytest.raises(DataError, match="holds no rows"):
        imported(job, [])


REFUSED = [
    (row("https://somewhere/a.png"), "row 1: image 'https://somewhere/a.png': is a URL. Download"),
    (row("file:///etc/passwd"), "is a URL"),
    (row("../outside.png"), "is outside of"),
    (row("/etc/passwd"), "is outside of"),
    (row("in/../../outside.png"), "is outside of"),
    (row("link.png"), "is outside of"),
    (row("files/p10/p10000032/s50414267/a.jpg"), "MIMIC"),
    (row("mimic-cxr/a.jpg"), "MIMIC"),
    (row("a.png", weigth=0.3) | {"weighted_score": None}, "looks like llava"),
    (row("a.png", imag="b.png"), None),
    (row("a.png") | {"weighted_score": None, "weighted_scores": 1}, "looks like llava, not mmedpo"),
    ({"images": "a.png"}, "has no 'conversations', which MMedPO's format needs. Its columns: images."),
    ({"prompt": "Is there?", "chosen": "Yes", "rejected": "No"}, "looks like trl, not mmedpo. Give --format trl"),
    (row("a.png", side_images=[]), "rows of a round of clincot"),
]


@pytest.mark.parametrize(("first", "says"), REFUSED)
def test_what_cannot_be_imported_is_refused_by_the_first_row(job: ImportJob, first: dict, says: str | None) -> None:
    (job.images / "link.png").symlink_to(job.images.parent / "outside.png")
    if says is None:
        assert imported(job, [first])[0].report.unread == {"imag"}  # the known column is there: it is just not read
        return
    with pytest.raises(DataError, match=says.replace(".", r"\.")):
        imported(job, [first])


def test_a_column_that_is_nearly_one_is_named(job: ImportJob) -> None:
    odd = row("a.png") | {"imagge": "a.png"}
    del odd["image"]
    with pytest.raises(DataError, match="column 'imagge' is not known. Did you mean 'image'"):
        imported(job, [odd])


HOSTILE = [
    "a\nb.png",
    "\0.png",
    "n" * 5000,
    "x" * 300 + ".png",
    "",
    "   ",
    7,
    {"path": None},
    {"bytes": b"".hex()},
    "in",
]


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_a_hostile_name_is_a_row_without_an_image(job: ImportJob, name: object) -> None:
    (job.images / "loop").symlink_to("loop")
    rows = [row("a.png"), row("b.png"), row(name), row("loop")]
    outcome, pairs = imported(job, rows, most_broken=0.5)
    assert len(pairs) == 2 and outcome.report.unfits.total() == 2


def test_rows_of_another_format_in_between_are_counted_as_such(job: ImportJob) -> None:
    outcome, _ = imported(job, [row("a.png"), {"prompt": "x", "chosen": "y", "rejected": "z"}], most_broken=0.5)
    assert outcome.report.unfits == {"that look like trl": 1}


def test_images_lose_their_notes_and_keep_their_pixels(job: ImportJob) -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Patient", "Mustermann")
    shown = Image.open(job.images / "a.png")
    shown.save(job.images / "noted.png", pnginfo=notes)
    exif = Image.Exif()
    exif[0x010E] = "Mustermann"
    shown.save(job.images / "noted.jpg", exif=exif)
    shown.save(job.images / "deep.tif")
    (job.images / "broken.png").write_bytes(png(0)[:90])
    inline = "data:image/png;base64," + base64.b64encode(png(4)).decode()
    names = ["a.png", "noted.png", "noted.jpg", "deep.tif", inline, "data:image/png;base64,%%", "broken.png"]
    outcome, pairs = imported(job, [row(name) for name in names], most_broken=0.3)
    held = [pair["images"][0] for pair in pairs]
    assert len(held) == 5 and b"Mustermann" not in b"".join(image["bytes"] for image in held)
    assert [image["path"][-4:] for image in held] == [".png"] * 5
    assert outcome.facts["images_without_notes"] == 2 and outcome.report.unfits == {"whose image cannot be read": 2}


def test_embedded_images_and_sides_of_their_own_come_through(tmp_path: Path) -> None:
    form = formats.load("swift")
    ask = ({"role": "user", "content": "Is there a nodule?"},)
    own = OtherPair(ask, ("a.png",), "Yes", "No", ("b.png", "c.png"), ("d.png", "e.png"), margin=0.5)
    form.save([form.write(own, 0)], tmp_path)
    for number, name in enumerate("abcde"):
        (tmp_path / f"{name}.png").write_bytes(png(number))
    import_rows(ImportJob((tmp_path / "train.jsonl",), form, tmp_path, tmp_path / "out.parquet"))
    (pair,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [image["bytes"] for image in (*pair["images"], *pair["side_images"])] == [png(n) for n in range(5)]
    assert (pair["chosen_images_count"], pair["rejected_images_count"]) == (2, 2)
    trl = formats.load("trl")
    given = OtherPair(ask, ({"bytes": png(1), "path": "x"},), "Yes", "No")
    trl.save([trl.write(given, 0)], tmp_path)
    import_rows(ImportJob((tmp_path / "train.parquet",), trl, tmp_path, tmp_path / "out.parquet"))
    (pair,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert pair["images"][0]["bytes"] == png(1)
