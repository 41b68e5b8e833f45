"""The images that an adapter was trained on: read from pictures' names, or from the column of withheld rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from clincot import schema
from clincot.images import content_id
from clincot.records import Candidate, Example, PreferencePair
from clincot.rounds.contamination import by_content, image_ids

PNG = b"\x89PNG picture"


def asked(image_id: str, data: bytes) -> Example:
    return Example(f"{image_id}-0", image_id, data, "q?", "yes", "closed", "kind", "other", "yes")


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


def test_a_picture_is_known_again_under_the_name_that_its_benchmark_gives_it(tmp_path: Path) -> None:
    text = Candidate("e/1/0", "e", 1, "clear", None, (), None, None)
    pair = PreferencePair("p", "e", 1, "clincot", (), PNG, text, text, "e/1")
    rows = schema.table([schema.pair_row(pair, 1)], schema.PAIR_FEATURES)
    schema.write_parquet([rows], tmp_path / "rows.parquet", schema.PAIR_FEATURES)
    seen = frozenset(image_ids(tmp_path / "rows.parquet"))
    assert seen == {content_id(PNG)}
    examples = [asked("phantom-1", PNG), asked("phantom-2", b"another")]
    assert by_content([frozenset(), seen, None], examples) == [frozenset(), seen | {"phantom-1"}, None]
