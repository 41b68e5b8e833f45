"""Columns of a round's Hub dataset (pairs, candidates, regions) -> parquet parts that store each image once.

Both sides' own images are in ONE column, `side_images` (the chosen side's first), because Parquet shares an image
between the rows of a column but never between two columns (docs/decisions/0002).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset, Features, Image, Json, List, Value

from clincot.errors import DataError
from clincot.images import content_id
from clincot.records import Candidate, Hypothesis
from clincot.records.atomic import write_file
from clincot.rows.stored_features import file_schema, of_file
from clincot.rows.stored_messages import stored_messages
from clincot.rows.stored_views import region_struct, view_structs

REGION = {"hypothesis": Value("string"), "box": List(Value("int32")), "confidence": Value("float32")}
VIEW = {"kind": Value("string"), "region": REGION, "strength": Value("float64"), "seed": Value("int64")}
VIEW |= {"image": Value("int32")}  # its number among the images of the example; absent (0) in rows of older versions
# A row in memory may hold a prompt of blocks; in a file it is text (stored_messages.py).
PAIR_FEATURES = Features(
    {
        "id": Value("string"),
        "example_id": Value("string"),
        "round": Value("int32"),
        "step": Value("int32"),
        "method": Value("string"),
        "prompt": List({"role": Value("string"), "content": Json()}),
        "images": List(Image()),
        "side_images": List(Image()),
        "chosen": Value("string"),
        "rejected": Value("string"),
        "chosen_score": Value("float32"),
        "rejected_score": Value("float32"),
        "weight": Value("float32"),
        "ref_chosen_logp": Value("float32"),
        "ref_rejected_logp": Value("float32"),
        "ref_chosen_tokens": Value("int32"),
        "ref_rejected_tokens": Value("int32"),
        "chosen_region": REGION,
        "rejected_region": REGION,
        "group": Value("string"),
        "chosen_candidate": Value("string"),
        "rejected_candidate": Value("string"),
        "chosen_finish": Value("string"),
        "rejected_finish": Value("string"),
        "chosen_images_count": Value("int32"),
        "rejected_images_count": Value("int32"),
        "chosen_token_weights": List(Value("float32")),
        "rejected_token_weights": List(Value("float32")),
        "views": List(VIEW),
        "side_views": List(VIEW),
    }
)
CANDIDATE_FEATURES = Features(
    {
        "id": Value("string"),
        "example_id": Value("string"),
        "round": Value("int32"),
        "step": Value("int32"),
        "text": Value("string"),
        "findings": List(Value("string")),
        "region": REGION,
        "logp": Value("float32"),
        "tokens": Value("int32"),
        "lookahead": List(Value("string")),
        "judge_scores": List(
            {"judge": Value("string")} | {name: Value("float64") for name in ("own", "next", "total", "mass")}
        ),
        "score": Value("float64"),
        "finish": Value("string"),
        "source": Value("string"),
        "views": List(VIEW),
        "token_scores": List(Value("float32")),
    }
)
# What a hypothesis became: a box without its image, which the image and the mask give again (decisions/0007).
REGION_FEATURES = Features(
    {
        "image_id": Value("string"),
        "hypothesis": Value("string"),
        "box": List(Value("int32")),
        "confidence": Value("float32"),
        "mask": Image(),
        "crop_id": Value("string"),
    }
)
# What a run keeps of the heat maps for people to look at (regions/kept_maps.py); no dataset has them.
MAP_FEATURES = Features({"image_id": Value("string"), "hypothesis": Value("string"), "map": Value("binary")})
IMAGE_COLUMNS = ("images", "side_images")
# A dictionary that outgrows its page limit makes Parquet store every repetition; 512 MB holds the images of a shard.
DICTIONARY_LIMIT = 512 * 1024 * 1024
ROW_GROUP_BYTES = 64 * 1024 * 1024
# A table of one row takes about 30 kB of memory, with any content.
ROW_GROUP_TABLES = 1000


def candidate_row(candidate: Candidate, round_: int) -> dict[str, Any]:
    """Return the columns of one candidate; no image goes in, the region names where to cut it."""
    return {
        "id": candidate.id,
        "example_id": candidate.example_id,
        "round": round_,
        "step": candidate.step,
        "text": candidate.text,
        "findings": list(candidate.findings),
        "region": region_struct(candidate.region),
        "logp": candidate.logp,
        "tokens": candidate.tokens,
        "lookahead": list(candidate.lookahead),
        "judge_scores": [dict(vars(score)) for score in candidate.judge_scores],
        "score": candidate.score,
        "finish": candidate.finish,
        "source": candidate.source,
        "views": view_structs(candidate.views),
        "token_scores": None if candidate.token_scores is None else list(candidate.token_scores),
    }


def region_row(looked: Hypothesis) -> dict[str, Any]:
    """Return the columns of one hypothesis of one image; `box` is empty where no component was found (Eq. 1)."""
    region = looked.region
    return {
        "image_id": looked.image_id,
        "hypothesis": looked.name,
        "box": list(region.box) if region else [],
        "confidence": looked.confidence,
        "mask": image_struct(region.mask) if region and region.mask else None,
        "crop_id": looked.crop_id,
    }


def table(rows: Sequence[Mapping[str, Any]], features: Features) -> pa.Table:
    """Encode rows for Parquet with the metadata that makes `datasets` decode images; prompts become text."""
    plain = [_with_text(row) if "prompt" in features else dict(row) for row in rows]
    made: pa.Table = Dataset.from_list(plain, features=of_file(features)).with_format("arrow")[:]
    return made.cast(file_schema(features))


def _with_text(row: Mapping[str, Any]) -> dict[str, Any]:
    own = row.get("chosen_images_count")  # rows of older versions and of others do not say
    shown = len(row.get("images") or ()) + (bool(row.get("side_images")) if own is None else own)
    prompt = row["prompt"]
    return {**row, "prompt": prompt if prompt is None else stored_messages(prompt, shown)}


def write_parquet(tables: Iterable[pa.Table], path: Path, features: Features) -> None:
    """Write tables, several to a row group, as a file that appears whole or not at all. Raises DiskFull."""
    leaves = [f"{name}.list.element.bytes" for name in IMAGE_COLUMNS if name in features]

    def write(partial: Path) -> None:
        with pq.ParquetWriter(
            partial,
            file_schema(features),
            use_dictionary=leaves or True,
            dictionary_pagesize_limit=DICTIONARY_LIMIT,
            compression="zstd",
        ) as writer:
            for part in _gathered(tables):
                writer.write_table(part, row_group_size=max(1, part.num_rows))

    write_file(path, write)


def read_tables(paths: Iterable[Path]) -> Iterator[pa.Table]:
    """Yield the tables of parquet files one after another, so that memory holds one."""
    for path in paths:
        yield pq.read_table(path)


def _gathered(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join tables until they fill a row group; each costs about 12 kB of Parquet's own, and memory holds one."""
    held: list[pa.Table] = []
    size = 0
    for part in tables:
        held.append(part)
        size += part.nbytes
        if size >= ROW_GROUP_BYTES or len(held) == ROW_GROUP_TABLES:
            yield pa.concat_tables(held)
            held, size = [], 0
    if held:
        yield pa.concat_tables(held)


def check_columns(path: Path) -> None:
    """Raise DataError when a parquet file lacks the columns of preference pairs."""
    present = set(pq.read_schema(path).names)
    missing = [name for name in ("prompt", "images", "chosen", "rejected") if name not in present]
    if missing:
        raise DataError(
            f"{path.name}: is not a preference dataset: no {', '.join(missing)} among {', '.join(sorted(present))}."
            " Name a dataset that `clincot build-data` wrote."
        )


def image_struct(data: bytes) -> dict[str, Any]:
    """Return encoded image bytes as `datasets` stores them, under a name made of their content."""
    suffix = ".png" if data.startswith(b"\x89PNG") else ".jpg"
    return {"bytes": data, "path": f"{content_id(data)}{suffix}"}
