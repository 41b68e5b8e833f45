"""The images that an adapter was trained on: read from pictures' names, or from the column of withheld rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from clincot.rounds.contamination import image_ids


def test_the_first_image_of_a_row_counts_and_its_crops_do_not(tmp_path: Path) -> None:
    rows = [
        {"id": i, "images": [{"bytes": b"x" * 9, "path": f"image{i % 2}.png"}], "side_images": [{"path": "crop.png"}]}
        for i in range(5)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    assert image_ids(tmp_path / "rows.parquet") == {"image0", "image1"}


def test_withheld_rows_name_their_image(tmp_path: Path) -> None:
    pq.write_table(pa.table({"images": [[], []], "image_id": ["a", "b"]}), tmp_path / "rows.parquet")
    assert image_ids(tmp_path / "rows.parquet") == {"a", "b"}
