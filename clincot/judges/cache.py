"""A judge and the ratings of finished builds -> a judge that reads no prompt twice; its fresh ratings -> files.

What is known is fixed when a build starts: a shard never sees what another shard of the same build rated, because batch
mates move the last digits of a rating, and rows must be equal for any number of processes and order of shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from clincot.errors import DataError
from clincot.judges.base import Fitting, JudgeRequest, Rating, ReadingJudge
from clincot.lm.parking import weights_of
from clincot.records.atomic import write_file
from clincot.records.lineage import content_key

COLUMNS = pa.schema([("key", pa.string()), ("value", pa.float64()), ("mass", pa.float64()), ("reply", pa.string())])

Known = Mapping[str, Rating]


@dataclass(frozen=True)
class Recorded:
    """A rating under the key of what decided it: judge, scoring and prompt."""

    key: str
    rating: Rating


class CachedJudge:
    """Asks `judge` only what neither `known` nor the shard at work holds; each shard has its own (`for_shard`)."""

    def __init__(self, judge: ReadingJudge, known: Known) -> None:
        self.judge = judge
        self.known = known
        self.counters = judge.counters
        self.fresh: dict[str, Rating] = {}

    @property
    def name(self) -> str:
        return self.judge.name

    @property
    def key(self) -> str:
        return self.judge.key

    @property
    def scoring(self) -> str:
        return self.judge.scoring

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        keys = [self._key(request) for request in requests]
        new = {k: r for k, r in zip(keys, requests, strict=True) if k not in self.known and k not in self.fresh}
        rated = dict(zip(new, self.judge.rate(list(new.values())), strict=True))
        self.fresh.update((k, rating) for k, rating in rated.items() if not rating.too_long)  # nothing was read
        found = {**self.fresh, **rated}
        return [self.known[k] if k in self.known else found[k] for k in keys]

    @property
    def weights(self) -> torch.nn.Module | None:
        """Return the weights of the judge; None for one that computes elsewhere."""
        return weights_of(self.judge)

    def for_shard(self) -> CachedJudge:
        """Return the same judge, which knows what was known before and nothing that another shard asked."""
        return CachedJudge(self.judge, self.known)

    def too_long(self, requests: Sequence[JudgeRequest]) -> list[bool]:
        """Ask the judge, where it can say."""
        return self.judge.too_long(requests) if isinstance(self.judge, Fitting) else [False] * len(requests)

    def forget(self) -> None:
        """Let a judge drop what it kept of images and prompts, where a shard begins."""
        if hasattr(self.judge, "forget"):
            self.judge.forget()

    def take_fresh(self) -> tuple[Recorded, ...]:
        """Return what was rated anew, by key, and forget it."""
        taken = tuple(Recorded(key, rating) for key, rating in sorted(self.fresh.items()))
        self.fresh = {}
        return taken

    def _key(self, request: JudgeRequest) -> str:
        return content_key(self.judge.name, self.judge.key, self.judge.scoring, self.judge.reads(request))


def write(folder: Path, name: str, ratings: Iterable[Recorded]) -> Path:
    """Write `folder/name.parquet` at once or not at all; each writer (a build, a shard) has its own name."""
    rows = [
        {"key": r.key, "value": r.rating.value, "mass": r.rating.mass, "reply": r.rating.reply}
        for r in sorted({r.key: r for r in ratings}.values(), key=lambda r: r.key)
    ]
    table = pa.Table.from_pylist(rows, COLUMNS)
    return write_file(folder / f"{name}.parquet", lambda path: pq.write_table(table, path))


def read(path: Path) -> tuple[Recorded, ...]:
    """Return the ratings of one file; raises DataError for a damaged one."""
    try:
        rows = pq.read_table(path, schema=COLUMNS).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read ({error}). Delete it; its ratings are then made again.") from error
    return tuple(Recorded(row["key"], Rating(row["value"], row["mass"], row["reply"])) for row in rows)


def load_known(folder: Path, of: str, *, without: str = "") -> dict[str, Rating]:
    """Return the ratings of the versions of round `of` (`of.parquet`, `of-v2.parquet`) but `without`: a build's own.

    Other rounds do not count: round 2 must give the same rows on a machine that never built round 1.
    """
    paths = [path for path in sorted(folder.glob("*.parquet")) if path.stem.split("-v")[0] == of]
    paths = [path for path in paths if path.stem != without]
    return {recorded.key: recorded.rating for path in paths for recorded in read(path)}


def known_key(known: Known) -> str:
    """Return a digest of what is known, so that a resumed build can check that it still knows the same."""
    return content_key(sorted(known))
