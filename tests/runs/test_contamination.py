"""The images that an adapter was trained on: read from images' names, or from the column of redacted rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clincot.images import content_id
from clincot.records import WHOLE, Example, FurtherImage, View
from clincot.records.pairs import Pair, Side
from clincot.rows import schema
from clincot.rows.pair_rows import pair_row
from clincot.runs.evaluation.contamination import by_content, image_ids
from clincot.stages.evaluate import known_by

PNG = b"\x89PNG picture"


def asked(image_id: str, data: bytes) -> Example:
    return Example(f"{image_id}-0", image_id, data, "q?", "yes", "closed", "kind", "other", "yes")


def test_the_images_that_sides_share_count_and_their_crops_do_not(tmp_path: Path) -> None:
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


def test_all_images_of_a_row_count_as_seen_and_any_of_them_makes_a_test_image_known(tmp_path: Path) -> None:
    both = (WHOLE, View("image", image=1))
    pair = Pair("p", "e", 1, "dpo", (), both, Side("clear"), Side("not"), "e/1")
    pictures = [PNG, b"\x89PNG lateral"]
    rows = schema.table([pair_row(pair, 1, lambda _, view: pictures[view.image])], schema.PAIR_FEATURES)
    schema.write_parquet([rows], tmp_path / "rows.parquet", schema.PAIR_FEATURES)
    seen = image_ids(tmp_path / "rows.parquet")
    assert seen == {content_id(data) for data in pictures}
    redacted = {"image_id": ["a"], "picture_ids": [["1", "2", "3"]], "views": [["image", "image"]]}  # 3 is a crop
    pq.write_table(pa.table({"images": [[]]} | redacted), tmp_path / "redacted.parquet")
    assert image_ids(tmp_path / "redacted.parquet") == {"a", "1", "2"}
    other = replace(asked("front-2", b"another"), more=(FurtherImage("side-2", pictures[1]),))
    assert by_content([seen], [other]) == [seen | {"side-2"}]
    assert known_by([asked("x", b"y"), other], frozenset({"side-2"})) == ("front-2",)
