"""PathVQA: an image-question-answer copy; answer types follow from the answers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from clincot.benchmarks import load


def test_yes_and_no_are_closed_and_rows_of_one_image_share_it(tmp_path: Path) -> None:
    asked = [("Is tissue present?", "Yes"), ("What is shown?", "liver"), ("where are liver stem cells?", "no ducts")]
    image = {"bytes": b"picture", "path": None}
    rows = [{"image": image, "question": question, "answer": answer} for question, answer in asked]
    (tmp_path / "data").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data/validation-00000-of-00001.parquet")
    examples = load("path-vqa").examples(tmp_path, "validation")
    assert [(e.answer_type, e.kind) for e in examples] == [("closed", "is"), ("open", "what"), ("open", "where")]
    assert [e.id for e in examples][:2] == ["path-vqa/validation/0", "path-vqa/validation/1"]
    assert examples[0].image is examples[2].image
