"""The images that an adapter was trained on: read from images' names, or from the column of redacted rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clincot.images import content_id
from clincot.records import WHOLE, Example
from clincot.records.pairs import Pair, Side
from clincot.rows import schema
from clincot.rows.pair_rows import pair_row
from clincot.runs.evaluation.contamination import by_content, image_ids

PNG = b"\x89PNG picture"


def asked(image_id: str, data: bytes) -> Example:
    return Example(f"{image_id}-0", image_id, data, "q?", "yes", "closed", "kind", "other", "yes")


def test_the_first_image_of_a_row_counts_and_its_crops_do_not(tmp_path: Path) -> None:
    rows = [
        {
            "id": i,
            "images": [{"bytes": b"x" * 9, "path": f"{i % 2:016x}.png"}],
            "side_images": [{"path": f"{9:016x}.png"}],
        }
        for i in range(5)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    assert image_ids(tmp_path / "rows.parquet") == {f"{0:016x}", f"{1:016x}"}


@pytest.mark.parametrize("path", [None, "xmlab102/source.jpg", "0123456789abcdef0.png"])
def test_pairs_whose_images_have_names_of_their_own_tell_nothing(path: str | None, tmp_path: Path) -> None:
    known = {"bytes": PNG, "path": f"{content_id(PNG)}.png"}
    rows = [{"images": [known], "image_id": "a"}, {"images": [{"bytes": PNG, "path": path}], "image_id": "b"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    assert image_ids(tmp_path / "rows.parquet") is None
    pq.write_table(pa.table({"images": [[PNG]]}), tmp_path / "plain.parquet")
    assert image_ids(tmp_path / "plain.parquet") is None


def test_redacted_rows_name_their_image(tmp_path: Path) -> None:
    columns = {"images": [[], []], "image_id": ["a", "b"], "picture_ids": [["1"], ["2"]]}
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    assert image_ids(tmp_path / "rows.parquet") == {"a", "b"}


def test_an_image_is_known_again_under_the_name_that_its_benchmark_gives_it(tmp_path: Path) -> None:
    pair = Pair("p", "e", 1, "clincot", (), (WHOLE,), Side("clear"), Side("clear"), "e/1")
    rows = schema.table([pair_row(pair, 1, lambda *_: PNG)], schema.PAIR_FEATURES)
    schema.write_parquet([rows], tmp_path / "rows.parquet", schema.PAIR_FEATURES)
    seen = image_ids(tmp_path / "rows.parquet")
    assert seen is not None and seen == {content_id(PNG)}
    examples = [asked("phantom-1", PNG), asked("phantom-2", b"another")]
    assert by_content([frozenset(), seen, None], examples) == [frozenset(), seen | {"phantom-1"}, None]
