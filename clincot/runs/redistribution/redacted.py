"""Rows under a licence that forbids passing the source on -> rows without its images and texts, and back.

These keep ids, boxes, scores and what models wrote (docs/benchmarks.md#licences). A text that holds a reference
answer gets a pointer in its place, `⟦EXAMPLE_ID:answer⟧`; one that an editor made of it gets pointers to its parts,
`⟦EXAMPLE_ID:answer[0:20]⟧`. Images become the content ids that restored images must have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import partial
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from datasets import Features, List, Value

from clincot.errors import DataError
from clincot.records import Example
from clincot.rows import schema
from clincot.rows.stored_messages import read_content

Row = dict[str, Any]
# With the characters of the text that are meant where it is not all of it.
POINTER = re.compile(r"⟦([^⟦⟧]+):(reference|answer)(?:\[(\d+):(\d+)\])?⟧")
FIELDS = ("reference", "answer")
# A shorter answer ("left lung") inside a longer text is what anybody would write; alone it is the reference answer.
LONG = 16
PAIR_FEATURES = Features(
    {**schema.PAIR_FEATURES, "image_id": Value("string"), "picture_ids": List(Value("string"))},
)
CANDIDATE_FEATURES = Features({**schema.CANDIDATE_FEATURES, "image_id": Value("string")})
PAIR_TEXTS, CANDIDATE_TEXTS = ("prompt", "chosen", "rejected"), ("text", "findings", "lookahead")
BATCH = 256


@dataclass(frozen=True)
class References:
    """The reference texts of a benchmark by example; hides them in a text and shows them again."""

    examples: Mapping[str, Example]
    long: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, examples: Sequence[Example]) -> References:
        pointers = {_core(getattr(e, name)): f"⟦{e.id}:{name}⟧" for e in examples for name in FIELDS}
        return cls({e.id: e for e in examples}, {text: p for text, p in pointers.items() if len(text) >= LONG})

    def hide(self, text: str, example_id: str, *, edited: bool = False) -> str:
        """Put pointers where `text` is, or holds at length, a reference text. Raises DataError where none can.

        `edited`: it was made of the reference text, whose parts are hidden too.
        """
        golds = {f"⟦{example_id}:{name}⟧": _core(getattr(self.examples[example_id], name)) for name in FIELDS}
        core, hidden = _core(text), text
        whole = next((pointer for pointer, gold in golds.items() if core and gold == core), self.long.get(core))
        if whole:
            hidden = text.replace(core, whole, 1)
        else:
            for pointer, gold in golds.items():
                hidden = hidden.replace(gold, pointer) if len(gold) >= LONG else hidden
            if edited and hidden == text:
                hidden = _without_parts(text, golds)
        if self.show(hidden) != text:
            raise DataError(
                f"{example_id}: a text about it reads like a pointer to reference texts ({text[:60]!r})."
                " Leave the example out."
            )
        return hidden

    def show(self, text: str) -> str:
        """Put the reference texts back; raises DataError for an example that the benchmark does not have."""
        return POINTER.sub(self._gold, text)

    def _gold(self, match: re.Match[str]) -> str:
        if match[1] not in self.examples:
            raise DataError(f"example {match[1]}: is not in this copy of the benchmark. Use the commit of the lineage.")
        gold = _core(getattr(self.examples[match[1]], match[2]))
        return gold[int(match[3]) : int(match[4])] if match[3] else gold


def _without_parts(text: str, golds: Mapping[str, str]) -> str:
    """Put pointers to the parts of a reference text that `text`, an edited one, still holds at length."""
    for pointer, gold in golds.items():
        if min(len(text), len(gold)) < LONG:
            continue
        blocks = SequenceMatcher(None, text, gold, autojunk=False).get_matching_blocks()
        quoted = [block for block in blocks if block.size >= LONG]
        if quoted:
            for block in reversed(quoted):
                part = f"{pointer[:-1]}[{block.b}:{block.b + block.size}]⟧"
                text = text[: block.a] + part + text[block.a + block.size :]
            return text
    return text


def edited_in(files: Iterable[Path]) -> frozenset[str]:
    """Return the ids of the candidates that an editor made of a reference text; older files have none."""
    found: set[str] = set()
    for path in files:
        if "source" in pq.read_schema(path).names:
            rows = pq.read_table(path, columns=["id", "source"]).to_pylist()
            found |= {row["id"] for row in rows if row["source"] == "editor"}
    return frozenset(found)


def redact_pairs(source: Path, path: Path, references: References, edited: frozenset[str] = frozenset()) -> Path:
    """Write the pairs of `source` to `path` without images and reference texts; `edited` as `edited_in` returns it."""

    def without(row: Row) -> Row:
        names = [image["path"].split(".")[0] for image in (*row["images"], *row["side_images"])]
        image_id = references.examples[row["example_id"]].image_id
        sides = {
            side: references.hide(row[side], row["example_id"], edited=row.get(f"{side}_candidate") in edited)
            for side in ("chosen", "rejected")
        }
        return (
            _texts(row, ("prompt",), references.hide)
            | sides
            | {
                "images": [],
                "side_images": [],
                "image_id": image_id,
                "picture_ids": names,
            }
        )

    return _rewrite(source, path, without, PAIR_FEATURES)


def redact_candidates(source: Path, path: Path, references: References) -> Path:
    """Write the candidates of `source` to `path` without reference texts."""

    def without(row: Row) -> Row:
        image_id = references.examples[row["example_id"]].image_id
        hide = partial(references.hide, edited=row.get("source") == "editor")
        return _texts(row, CANDIDATE_TEXTS, hide) | {"image_id": image_id}

    return _rewrite(source, path, without, CANDIDATE_FEATURES)


def redact_regions(source: Path, path: Path) -> Path:
    """Write the regions of `source` to `path` without masks: a mask traces the image it was made for."""
    return _rewrite(source, path, lambda row: row | {"mask": None}, schema.REGION_FEATURES)


def restored(row: Row, references: References, images: Sequence[bytes]) -> Row:
    """Return the full row again. `images` are the global image and the sides' own; DataError if they are others."""
    cells = [schema.image_struct(data) for data in images]
    if [image["path"].split(".")[0] for image in cells] != row["picture_ids"]:
        raise DataError(
            f"{row['id']}: the images restored for it are not those it was made from. Use the commits and the Pillow"
            " version that its lineage names."
        )
    shown = _texts(row, PAIR_TEXTS, lambda text, _: references.show(text))
    shared = 1 if row.get("views") is None else len(row["views"])  # rows of older versions: the global image
    full = shown | {"images": cells[:shared], "side_images": cells[shared:]}
    return {name: full.get(name) for name in schema.PAIR_FEATURES}  # an older round has fewer columns


def shown(row: Row, references: References) -> Row:
    """Return a row of candidates with the reference texts put back."""
    return _texts(row, CANDIDATE_TEXTS, lambda text, _: references.show(text))


def read_rows(path: Path, *, images: bool = True) -> Iterator[Row]:
    """Yield the rows of a parquet file as plain values; the blocks of older files come back as blocks.

    Without `images` their bytes stay unread, and an image is its name alone.
    """
    opened = pq.ParquetFile(path, pre_buffer=False)  # else every row group that was read stays in memory
    leaves = [opened.schema.column(i).path for i in range(len(opened.schema))]
    columns = [leaf for leaf in leaves if images or not leaf.endswith(".bytes")]
    for batch in opened.iter_batches(batch_size=BATCH, columns=columns):
        for row in batch.to_pylist():
            for message in row.get("prompt") or ():
                message["content"] = read_content(message["content"])
            yield row


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _rewrite(source: Path, path: Path, change: Callable[[Row], Row], features: Features) -> Path:
    rows = map(change, read_rows(source, images=False))
    few = iter(lambda: list(islice(rows, BATCH)), [])
    schema.write_parquet((schema.table(some, features) for some in few), path, features)
    return path


def _texts(row: Row, names: Sequence[str], change: Callable[[str, str], str]) -> Row:
    return row | {name: _walk(row[name], lambda text: change(text, row["example_id"])) for name in names}


def _walk(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_walk(entry, change) for entry in value]
    if isinstance(value, dict):
        return {key: _walk(entry, change) for key, entry in value.items()}
    return value


def _core(text: str) -> str:
    return text.strip().rstrip(".").strip()
