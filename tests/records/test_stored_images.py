"""Images in a temporary file: the bytes come back, in threads and forks too, and nothing is left behind."""

from __future__ import annotations

import errno
import gc
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clincot.errors import DataError, DiskFull
from clincot.records import Example, read_images
from clincot.records.stored_images import Spill, StoredImage

PICTURES = [random.Random(i).randbytes(1 + 997 * i) for i in range(60)]


def handles() -> int:
    return len(os.listdir("/dev/fd"))


def example(name: str, image: bytes | StoredImage) -> Example:
    return Example(name, "one", image, "Is it?", "yes", "closed", "", "other", "yes")


def test_every_image_comes_back_whatever_the_order() -> None:
    spill = Spill()
    stored = [spill.append(data) for data in PICTURES]
    assert [one.read() for one in reversed(stored)] == PICTURES[::-1]
    assert [one.length for one in stored] == [len(data) for data in PICTURES]


def test_threads_append_and_read_at_the_same_time() -> None:
    spill = Spill()

    def there_and_back(data: bytes) -> bool:
        stored = spill.append(data)
        return all(stored.read() == data for _ in range(20))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, PICTURES))


def test_a_forked_process_reads_beside_its_parent() -> None:
    spill = Spill()
    stored = [spill.append(data) for data in PICTURES]
    child = os.fork()
    if child == 0:
        os._exit(0 if all(s.read() == d for _ in range(20) for s, d in zip(stored, PICTURES, strict=True)) else 1)
    assert all(s.read() == d for _ in range(20) for s, d in zip(stored, PICTURES, strict=True))
    assert os.waitpid(child, 0)[1] == 0


def test_a_split_holds_one_file_which_has_no_name_and_goes_with_its_last_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clincot.records.stored_images.spill_folder", lambda: str(tmp_path))
    gc.collect()  # what other tests left open
    before = handles()
    spill = Spill()
    stored = [spill.append(data) for data in PICTURES]
    assert handles() == before + 1
    assert not list(tmp_path.iterdir())
    last = stored[-1]
    del spill, stored
    gc.collect()
    assert last.read() == PICTURES[-1]
    del last
    gc.collect()
    assert handles() == before


def test_a_full_disk_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    spill = Spill()
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(DiskFull, match="No space left.*TMPDIR"):
        spill.append(b"picture")


def test_a_write_that_the_disk_takes_in_pieces_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: write(file, data[:100], offset))
    spill = Spill()
    assert [spill.append(data).read() for data in PICTURES[:5]] == PICTURES[:5]


def test_bytes_that_are_gone_are_an_error() -> None:
    spill = Spill()
    spill.append(b"picture")
    with pytest.raises(DataError, match="gives back 3 of 9 bytes"):
        StoredImage(spill, 4, 9).read()


def test_the_folder_is_no_memory_unless_tmpdir_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clincot.records import stored_images

    monkeypatch.delenv("TMPDIR", raising=False)
    assert stored_images.spill_folder() == "/var/tmp"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert stored_images.spill_folder() == str(tmp_path)


def test_a_unit_reads_each_image_once_and_the_split_keeps_none() -> None:
    spill = Spill()
    stored = spill.append(PICTURES[9])
    split = [example("a", stored), example("b", stored), example("c", b"plain")]
    unit = read_images(split)
    assert [e.image for e in unit] == [PICTURES[9], PICTURES[9], b"plain"]
    assert unit[0].image is unit[1].image is unit[0].encoded()
    assert [e.image for e in split] == [stored, stored, b"plain"]
    assert [e.encoded() for e in split] == [PICTURES[9], PICTURES[9], b"plain"]
