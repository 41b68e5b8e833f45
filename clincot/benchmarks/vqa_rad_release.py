"""The official VQA-RAD release (JSON and a folder of JPEG) -> the files of its Hub copy, and the table of answer types.

The Hub copy (flaviagiammarino/vqa-rad) keeps the release's order, drops 3 repeated train triplets and 1 that is also in
the test split, lower-cases the texts and squeezes their spaces; its card and first rows say so.
Run `python -m clincot.benchmarks.vqa_rad_release RELEASE` to make the tables `vqa_rad_answer_types.json` and
`vqa_rad_numbers.json` again.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clincot.benchmarks.base import Imported
from clincot.errors import DataError

ANNOTATIONS = "VQA_RAD Dataset Public.json"
TABLE = Path(__file__).with_name("vqa_rad_answer_types.json")
NUMBERS = Path(__file__).with_name("vqa_rad_numbers.json")
KINDS = {"PRSE": "PRES", "ATRIB": "ATTRIB", "Other": "OTHER"}  # typing errors of the release
FEATURES = {
    "image": {"_type": "Image"},
    "question": {"dtype": "string", "_type": "Value"},
    "answer": {"dtype": "string", "_type": "Value"},
}
CARD = """---
license: cc0-1.0
task_categories:
- visual-question-answering
language:
- en
tags:
- medical
pretty_name: VQA-RAD
size_categories:
- 1K<n<10K
---

# VQA-RAD

Clinically generated questions and answers about radiology images (Lau et al. 2018, doi:10.1038/sdata.2018.251; data:
osf.io/89kps, CC0 1.0). {train} train and {test} test rows, laid out as `flaviagiammarino/vqa-rad`: 3 repeated train
triplets and 1 train triplet that is also in the test split are left out. Most test images also occur in train.
"""


@dataclass(frozen=True)
class ReleaseRow:
    """One question of the release, texts as the Hub copy has them; `organ` is HEAD, CHEST or ABD, `number` its qid."""

    question: str
    answer: str
    image_name: str
    answer_type: str
    organ: str
    kind: str
    test: bool
    number: int

    @property
    def triplet(self) -> tuple[str, str, str]:
        return self.question, self.answer, self.image_name


def clean(text: object) -> str:
    """Return a question or answer as the Hub copy writes it."""
    return re.sub(" +", " ", str(text).lower()).replace(" ?", "?").strip()


def pair_hash(question: str, answer: str) -> str:
    """Return the key of a (question, answer) pair in the table: 12 hex digits, blind to case and spacing."""
    text = "\n".join(" ".join(clean(part).split()) for part in (question, answer))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_release(release: Path) -> list[ReleaseRow]:
    """Read the official JSON: UTF-8 with a byte order mark, "CLOSED " twice with a space, five integer answers."""
    path = release / ANNOTATIONS
    if not path.is_file():
        raise DataError(f"{path}: not found. Give the folder of the official VQA-RAD release (osf.io/89kps).")
    try:
        return [_row(entry) for entry in json.loads(path.read_text(encoding="utf-8-sig"))]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: is not the release's list of questions ({type(error).__name__}: {error})."
            " Fetch the official VQA-RAD release again (osf.io/89kps)."
        ) from error


def _row(entry: dict[str, Any]) -> ReleaseRow:
    kind = str(entry["question_type"]).split(",")[0].strip()
    return ReleaseRow(
        question=clean(entry["question"]),
        answer=clean(entry["answer"]),
        image_name=entry["image_name"],
        answer_type=entry["answer_type"].strip(),
        organ=entry["image_organ"].strip(),
        kind=KINDS.get(kind, kind),
        test=entry["phrase_type"].startswith("test_"),
        number=int(entry.get("qid", -1)),
    )


def hub_splits(rows: list[ReleaseRow]) -> dict[str, list[ReleaseRow]]:
    """Return the 1,793 train and 451 test rows of the Hub copy, in the order of the release."""
    test = {row.triplet: row for row in rows if row.test}
    train: dict[tuple[str, str, str], ReleaseRow] = {}
    for row in rows:
        if not row.test and row.triplet not in test:
            train.setdefault(row.triplet, row)
    return {"train": list(train.values()), "test": list(test.values())}


def vqa_rad_files(release: Path, folder: Path) -> dict[str, Path]:
    """Write README and one parquet file per split below `folder`; return path in the repository -> local path."""
    splits = hub_splits(read_release(release))
    (folder / "data").mkdir(parents=True, exist_ok=True)
    card = folder / "README.md"
    card.write_text(CARD.format(**{name: f"{len(rows):,}" for name, rows in splits.items()}), encoding="utf-8")
    files = {"README.md": card}
    for name, rows in splits.items():
        path = _write_split(release / "images", rows, folder / "data", name)
        files[f"data/{path.name}"] = path
    return files


def imported(release: Path, folder: Path) -> Imported:
    """Write the files of the Hub copy below `folder`, for `clincot benchmarks import`."""
    return Imported(vqa_rad_files(release, folder), "1,793 train and 451 test questions, as the public copy has them")


def _write_split(images: Path, rows: list[ReleaseRow], folder: Path, name: str) -> Path:
    """One row group and a dictionary page for all its images, so that an image repeated in many rows is stored once."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    stored = {file: _read_image(images / file) for file in dict.fromkeys(row.image_name for row in rows)}
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema(
        [("image", image), ("question", pa.string()), ("answer", pa.string())],
        metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
    )
    columns = {
        "image": [{"bytes": stored[row.image_name], "path": None} for row in rows],
        "question": [row.question for row in rows],
        "answer": [row.answer for row in rows],
    }
    digest = hashlib.sha256(repr([row.triplet for row in rows]).encode()).hexdigest()[:16]
    path = folder / f"{name}-00000-of-00001-{digest}.parquet"
    table = pa.table(columns, schema=schema)
    pq.write_table(table, path, row_group_size=len(rows), dictionary_pagesize_limit=1 << 30)
    return path


def _read_image(path: Path) -> bytes:
    if not path.is_file():
        raise DataError(f"{path}: not found. The release's folder `images` is incomplete; fetch it again.")
    return path.read_bytes()


def answer_types(rows: list[ReleaseRow]) -> dict[str, list[str]]:
    """Return `TYPE organ kind` -> sorted hashes of its pairs; an organ or kind that a pair leaves open is `?`.

    `ambiguous` names the pairs with more than one answer type (none in the release); they get no hash.
    """
    by_pair: dict[str, list[ReleaseRow]] = defaultdict(list)
    for row in rows:
        by_pair[pair_hash(row.question, row.answer)].append(row)
    table: dict[str, list[str]] = {"ambiguous": []}
    for key, same in by_pair.items():
        if len({row.answer_type for row in same}) > 1:
            table["ambiguous"].append(f"{same[0].question} | {same[0].answer}")
            continue
        organ, kind = (_single({getattr(row, name) for row in same}) for name in ("organ", "kind"))
        table.setdefault(f"{same[0].answer_type} {organ} {kind}", []).append(key)
    return {name: sorted(table[name]) for name in sorted(table)}


def _single(values: set[str]) -> str:
    return next(iter(values)) if len(values) == 1 else "?"


def main(release: str) -> None:
    """Write the tables of answer types and of the release's own numbers, in the order of the rows."""
    rows = read_release(Path(release))
    numbers = {name: [row.number for row in own] for name, own in hub_splits(rows).items()}
    NUMBERS.write_text(json.dumps(numbers, separators=(",", ":")) + "\n", encoding="utf-8")
    table = answer_types(rows)
    lines = [f"{json.dumps(name)}: {json.dumps(keys, separators=(',', ':'))}" for name, keys in table.items()]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{TABLE.name}: {sum(map(len, table.values()))} pairs, {len(table['ambiguous'])} ambiguous")


if __name__ == "__main__":
    main(*sys.argv[1:])
