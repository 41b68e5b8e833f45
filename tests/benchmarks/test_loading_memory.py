"""Loading a split keeps its images on disk: memory grows by far less than the images are large."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

IMAGES, SIZE = 400, 250_000  # 100 MB
GROUP = 20  # rows; memory holds a row group, encoded and decoded
ALLOWED = 75  # MB; pyarrow takes 55, for four times as many images too, and 146 with the images held
# The first load is of a single image: what modules and pyarrow's pools take is no image of the split.
MEASURED = """
import sys
from pathlib import Path
from clincot.benchmarks import load
name, small, whole = sys.argv[1:]
def peak():  # in MB; ru_maxrss would begin at the peak of the process that started this one
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024
load(name).examples(Path(small), "test")
before = peak()
examples = load(name).examples(Path(whole), "test")
assert sum(len(example.encoded()) for example in examples) == len(examples) * 250_000
print(len({example.image for example in examples}), peak() - before)
"""


def picture(index: int) -> bytes:
    """Return SIZE bytes that no compression shortens; loaders decode nothing."""
    return random.Random(index).randbytes(SIZE)


def parquet_stand_in(folder: Path, count: int) -> None:
    (folder / "data").mkdir(parents=True)
    schema = pa.schema([("image", pa.struct([("bytes", pa.binary())])), ("question", pa.string())])
    schema = schema.append(pa.field("answer", pa.string()))
    with pq.ParquetWriter(folder / "data/test-00000-of-00001.parquet", schema) as writer:
        for start in range(0, count, GROUP):
            rows = [
                {"image": {"bytes": picture(i)}, "question": f"Is it {i}?", "answer": "yes"}
                for i in range(start, min(count, start + GROUP))
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def slake_stand_in(folder: Path, count: int) -> None:
    folder.mkdir()
    known = {"question": "Is it?", "answer": "Yes", "modality": "X-Ray", "answer_type": "CLOSED"}
    rows = [
        {"qid": i, "img_name": f"x{i}/source.jpg", "q_lang": "en", "content_type": "Organ"} | known
        for i in range(count)
    ]
    (folder / "test.json").write_text(json.dumps(rows))
    with zipfile.ZipFile(folder / "imgs.zip", "w") as archive:
        for i in range(count):
            archive.writestr(f"imgs/x{i}/source.jpg", picture(i))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(("name", "stand_in"), [("path-vqa", parquet_stand_in), ("slake", slake_stand_in)])
def test_a_hundred_megabytes_of_images_are_loaded_in_far_less(
    tmp_path: Path, name: str, stand_in: Callable[[Path, int], None]
) -> None:
    stand_in(tmp_path / "small", 1)
    stand_in(tmp_path / "whole", IMAGES)
    command = [sys.executable, "-c", MEASURED, name, str(tmp_path / "small"), str(tmp_path / "whole")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    distinct, grown = map(int, done.stdout.split())
    assert distinct == IMAGES
    assert grown < ALLOWED
