"""Files of answers made elsewhere: what is read whatever tool wrote it, and what is refused by line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clincot.errors import DataError
from clincot.runs.evaluation.answer_file import box_of, read_lines

LINES = [{"example_id": "a", "text": "left\u2028lung, clear"}, {"example_id": "b", "text": "no \u00e9"}]
ROWS = [json.dumps(line, ensure_ascii=False) for line in LINES]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.jsonl", "\n".join(ROWS)),
        ("p.jsonl", "\n".join(ROWS) + "\n\n  \n"),
        ("p.jsonl", "\ufeff" + "\r\n".join(ROWS) + "\r\n"),
        ("p.json", "\ufeff[" + ",\n".join(ROWS) + "]\r\n"),
        ("p.csv", '\ufeffexample_id,text,question\r\na,"left\u2028lung, clear",\r\nb,no \u00e9,\r\n\r\n'),
    ],
)
def test_every_way_of_writing_the_same_answers_is_read(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert [line for _, line in read_lines(tmp_path / name)] == LINES


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.jsonl", b"", "p.jsonl: holds no answers"),
        ("p.jsonl", b"\n \n", "p.jsonl: holds no answers"),
        ("p.json", b"[]", "p.json: holds no answers"),
        ("p.json", b"{}", "p.json: is no array"),
        ("p.json", b"[7]", "answer 1: is no object"),
        ("p.json", b"[" * 100_000, "p.json: is no JSON"),
        ("p.jsonl", json.dumps(LINES).encode(), "line 1: is no object.*belongs in a .json file"),
        ("p.jsonl", "\n".join(ROWS).encode("utf-16"), "line 1: is no UTF-8 .it looks like UTF-16"),
        ("p.jsonl", ROWS[0].encode() + b"\n" + b"caf\xe9\n", "line 2: is no UTF-8"),
        (
            "p.jsonl",
            b'{"example_id": "a", "text": "ok"}\n\n{"example_id": "b", "text": "\\ud83d"}',
            "line 3: its text holds",
        ),
        ("p.jsonl", b'{"example_id": "\\udc00", "text": "ok"}', "line 1: its example_id holds"),
        ("p.jsonl", b'{"example_id": "a", "text": NaN}', "line 1: .* no text"),
        ("p.csv", b"example_id,answer\na,b\n", "line 2: lacks text"),
        ("p.csv", b"example_id,text\na,b,c\n", "line 2: has 3 cells, the header 2"),
        ("p.csv", b"example_id,text,text\na,b,c\n", "line 1: names a column twice"),
        ("p.csv", b'example_id,text\na,"b\n', "line 2: is no CSV"),
    ],
)
def test_damage_is_named_by_file_and_line(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_lines(tmp_path / name)


@pytest.mark.parametrize(
    "box",
    [
        [5, 5, 1, 1],
        [5, 1, 5, 2],
        [-1, 0, 4, 4],
        [0, 0, 1, 2**31],
        [1.0, 2, 3, 4],
        [True, 0, 2, 2],
        [0, 0, 4],
        7,
        "near",
    ],
)
def test_a_box_that_holds_no_pixel_is_refused(box: object) -> None:
    with pytest.raises(DataError, match=r"^line 1: the box"):
        box_of("line 1", {"box": box})


def test_a_box_of_a_cell_is_read() -> None:
    assert box_of("line 1", {"box": "[0, 1, 2, 3]"}) == (0, 1, 2, 3)
    assert box_of("line 1", {"box": None}) is None and box_of("line 1", {"box": []}) is None
