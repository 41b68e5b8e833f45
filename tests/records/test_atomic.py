"""Files and folders appear whole or not at all, whoever else writes them and whatever fails on the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clincot.errors import DiskFull
from clincot.records.atomic import new_folder, write_file


def test_contents_of_every_kind_are_written_into_folders_that_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    for content in (b"\xc3\xa9", "\u00e9", lambda own: own.write_text("\u00e9", encoding="utf-8")):
        assert write_file(path, content) == path
        assert path.read_bytes() == b"\xc3\xa9"
    assert list(path.parent.iterdir()) == [path]


def test_the_last_of_two_writers_wins_and_neither_meets_the_others_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def slow(own: Path) -> None:
        own.write_text("slow")
        write_file(path, "fast")
        assert path.read_text() == "fast" and own.read_text() == "slow"

    write_file(path, slow)
    assert path.read_text() == "slow"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("failure", "raised"), [(OSError(28, "No space left"), DiskFull), (KeyError("x"), KeyError)])
def test_a_failed_write_leaves_what_was_there_and_nothing_else(
    failure: Exception, raised: type[Exception], tmp_path: Path
) -> None:
    path = write_file(tmp_path / "file", "before")

    def broken(own: Path) -> None:
        own.write_text("half")
        raise failure

    with pytest.raises(raised, match="No space left|x"):
        write_file(path, broken)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_the_place_of_the_folder_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DiskFull, match=r"file/under: cannot be written \(.*\)\. Free space or give another folder"):
        write_file(tmp_path / "file" / "under", "x")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="names of open files: Linux alone lists them")
def test_all_is_on_the_disk_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash behind a rename must find the bytes: file, then name, then the folder that holds the name."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda handle: (done.append(Path(os.readlink(f"/proc/self/fd/{handle}")).name), fsync(handle))
    )
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append(f"-> {Path(b).name}"), replace(a, b)))
    write_file(tmp_path / "file", "x")
    assert [name.split(".")[1] if name[0] == "." else name for name in done] == ["file", "-> file", tmp_path.name]
    done.clear()
    with new_folder(tmp_path / "folder") as own:
        (own / "deep").mkdir()
        (own / "deep" / "file").write_text("x")
    assert {*done[:3]} == {"deep", "file", ".folder.partial"} and done[3:] == ["-> folder", tmp_path.name]


def test_a_folder_appears_when_its_block_ends_well_and_a_killed_ones_rest_is_cleared(tmp_path: Path) -> None:
    (tmp_path / ".out.partial").mkdir()
    (tmp_path / ".out.partial" / "rest").write_text("of a killed process")
    (tmp_path / "out").mkdir()  # empty: may be filled
    with new_folder(tmp_path / "out") as own:
        (own / "file").write_text("x")
        assert not [*(tmp_path / "out").iterdir()]
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "file"]
    with pytest.raises(KeyError), new_folder(tmp_path / "other") as own:
        (own / "file").write_text("half")
        raise KeyError("x")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_full_folder_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    for shared in (False, True):
        with new_folder(tmp_path / "out", replace=True) as own:
            (own / "old").write_text("x")
        with pytest.raises(OSError), new_folder(tmp_path / "out", shared=shared) as own:
            (own / "new").write_text("x")
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["old"]
        with new_folder(tmp_path / "out", replace=True, shared=shared) as own:
            (own / "new").write_text("x")
        assert [path.name for path in tmp_path.rglob("*")] == ["out", "new"]


def test_of_two_processes_that_write_one_folder_the_first_is_kept(tmp_path: Path) -> None:
    with pytest.raises(OSError), new_folder(tmp_path / "out", shared=True) as slow:
        (slow / "slow").write_text("x")
        with new_folder(tmp_path / "out", shared=True) as fast:
            (fast / "fast").write_text("x")
        assert (slow / "slow").is_file()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "fast"]
