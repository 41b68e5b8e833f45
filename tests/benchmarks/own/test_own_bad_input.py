"""What own data may hold that is wrong: paths that lead out, URLs, broken rows, changed files, terms."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from own_folders import png, row, write

from clincot.benchmarks import load
from clincot.benchmarks.own import OwnData
from clincot.benchmarks.own.declared import Declared
from clincot.benchmarks.own.terms import barred, privacy_of
from clincot.errors import DataError
from clincot.recipe.own_data import is_own, published, short


def own(path: Path) -> OwnData:
    benchmark = load(str(path))
    assert isinstance(benchmark, OwnData) and benchmark.folder is not None
    return benchmark


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a/../../secret.png", "link.png", "out/secret.png"])
def test_a_path_out_of_the_folder_is_refused_by_row(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.png").write_bytes(png(9))
    folder = write(tmp_path / "data", [row(1)])
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "out").symlink_to(tmp_path)
    rows = [row(1) for _ in range(5000)] + [{"file_name": name, "question": "?", "answer": "x"}]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    with pytest.raises(DataError, match="metadata.jsonl row 5001: .*out of the folder of the data"):
        own(folder).contents(folder)


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", [row(1)])
    (folder / "1.png").rename(folder / "other.png")
    (folder / "1.png").symlink_to("other.png")
    assert own(folder).contents(folder).rows == 1


def test_an_image_at_a_url_is_not_fetched(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", [{"image": "https://example.org/1.jpg", "question": "?", "answer": "x"}])
    with pytest.raises(
        DataError, match="row 1: its image is at https://example.org/1.jpg, and reading fetches nothing"
    ):
        own(folder).contents(folder)


def test_three_broken_rows_of_a_hundred_thousand_are_counted_and_named_quickly(tmp_path: Path) -> None:
    rows = [row(i % 50, question=f"Which {i}?") for i in range(99_997)]
    folder = write(tmp_path / "data", rows)
    broken = ('{"file_name": "1.png"', '{"file_name": "gone.png", "question": "?", "answer": "x"}')
    broken += ('{"file_name": "1.png", "question": " ", "answer": "x"}',)
    (folder / "metadata.jsonl").open("a").write("\n".join(broken) + "\n")
    start = time.process_time()
    contents = own(folder).contents(folder)
    assert time.process_time() - start < 10  # 2 s alone
    assert contents.rows == 100_000 and sum(map(len, contents.examples.values())) == 99_997
    said = own(folder).shown(folder)[-1]
    assert "3 of 100,000 rows are left out: metadata.jsonl row 99998: is no row" in said
    assert "row 99999: its image 'gone.png' is not there; metadata.jsonl row 100000: its question is empty" in said


def test_one_broken_row_of_a_few_is_too_many_unless_it_is_allowed(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", [row(1), row(2, answer=None), row(3)])
    with pytest.raises(DataError, match="1 of 3 rows cannot be used.*\n  metadata.jsonl row 2: its answer is empty"):
        own(folder).contents(folder)
    (folder / "clincot.yaml").write_text("most_broken: 0.5\n")
    assert {e.id for es in own(folder).contents(folder).examples.values() for e in es} == {"data/0", "data/2"}


def table_of(tmp_path: Path, name: str, text: str) -> Path:
    folder = write(tmp_path / "data", [row(1), row(2)])
    (folder / "metadata.jsonl").unlink()
    (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_csv_is_read_by_the_mark_between_its_columns(tmp_path: Path, mark: str) -> None:
    lines = (["\ufefffile_name", "Question ", "ANSWER"], ["1.png", '"Mass, cyst; or none?"', "2,5 cm"])
    lines[1][2] = f'"{lines[1][2]}"'
    folder = table_of(tmp_path, "metadata.csv", "".join(mark.join(line) + "\n" for line in lines))
    ((example,),) = own(folder).contents(folder).examples.values()
    assert (example.question, example.answer) == ("Mass, cyst; or none?", "2,5 cm")


@pytest.mark.parametrize(
    ("table", "text", "said"),
    [
        ("metadata.csv", "file_name,question,answer,answer\n1.png,?,yes,no\n", "several columns called answer. Rename"),
        (
            "metadata.csv",
            "file_name,question,answer\n1.png,?,a,b\n",
            r"no row can be read: metadata.csv row 1 is no row of columns \(more cells than columns\)",
        ),
        (
            "metadata.jsonl",
            "{broken\n",
            r"no row can be read: metadata.jsonl row 1 .*\(no JSON: Expecting property name",
        ),
        (
            "metadata.jsonl",
            json.dumps(row(1, answer=["yes", "no"])),
            "metadata.jsonl row 1: its column answer holds a list, not a text",
        ),
        ("rows.json", '{"train": 5}', "is no list of rows"),
        ("rows.json", '{"train": {"file_name": "1.png"}}', "is no list of rows"),
    ],
)
def test_what_a_table_holds_is_said_as_it_is(tmp_path: Path, table: str, text: str, said: str) -> None:
    folder = table_of(tmp_path, table, text)
    (folder / "clincot.yaml").write_text(f"table: {table}\n")
    with pytest.raises(DataError, match=said):
        own(folder).contents(folder)


def test_the_pin_is_the_content_wherever_it_lies(tmp_path: Path) -> None:
    one = write(tmp_path / "a/data", [row(1), row(2)])
    two = write(tmp_path / "b/data", [row(1), row(2)])
    assert own(one).pin() == own(two).pin()
    before = own(one).pin()
    (one / "clincot.yaml").write_text("modality: ct\n")
    declared = own(one).pin()
    (two / "2.png").write_bytes(png(77))
    os.utime(two / "metadata.jsonl", (1, 1))  # so that this process reads it again; its bytes are the same
    assert len({before.sha, declared.sha, own(two).pin().sha}) == 3 and before.repo == "./data"


def test_an_image_that_changes_while_a_command_runs_is_noticed(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", [row(1)])
    (example,) = (e for es in own(folder).contents(folder).examples.values() for e in es)
    assert example.encoded() == png(0)
    (folder / "1.png").write_bytes(png(5))
    with pytest.raises(DataError, match="1.png: has changed since the data were read"):
        example.encoded()


@pytest.mark.parametrize(
    ("declared", "names", "why"),
    [
        (Declared(licence="cc-by-4.0", privacy="public"), (), ""),
        (Declared(licence="mit"), (), "restricted"),
        (Declared(licence="mit", privacy="consented"), (), ""),
        (Declared(privacy="public"), (), "declares no licence"),
        (Declared(licence="cc-by-nc-nd-4.0", privacy="public"), (), "cc-by-nc-nd-4.0"),
        (Declared(licence="house rules", privacy="public"), (), "house rules"),
        (Declared(licence="mit", privacy="public"), ("data/MIMIC-CXR-VQA",), "MIMIC"),
        (Declared(licence="PhysioNet Credentialed Health Data License", privacy="public"), (), "PHYSIONET"),
    ],
)
def test_data_are_pushed_only_under_a_known_licence_and_unrestricted(
    declared: Declared, names: tuple[str, ...], why: str
) -> None:
    found = barred(declared, names)
    assert why in found and bool(found) == bool(why)
    agreed = why.isupper()
    assert privacy_of(declared, names) == ("restricted" if agreed else declared.privacy)


def test_names_of_own_data() -> None:
    assert is_own("cells/") and is_own("./cells") and is_own("me/cells@v1") and is_own("rows.jsonl")
    assert not any(map(is_own, ("", "slake", "./file.py:Mine", "package.module:Mine")))
    assert published("/home/someone/cells/") == published("/home/someone/cells/clincot.yaml") == "./cells"
    assert published(published("/a/b/cells.yaml")) == "./cells" and published("me/cells@v1") == "me/cells@v1"
    assert short("/a/my cells") == "my-cells" and short("me/cells@v1") == "cells" and short("./f.py:Mine") == "Mine"


def test_a_folder_that_is_called_like_a_benchmark_changes_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name in lineages stays, and so do the hashes of recipes."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "slake", [row(1)])
    write(tmp_path / "mine", [row(1)])
    assert load("slake").source.repo == "BoKelvin/SLAKE" and published("slake") == short("slake") == "slake"
    assert load("./slake").source.repo == load("slake/").source.repo == "./slake"
    with pytest.raises(
        DataError, match="benchmark 'mine': is not known, but there is such a folder. Write ./mine for it"
    ):
        load("mine")
