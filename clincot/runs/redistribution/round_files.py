"""A round's full files -> those that may leave the machine: without images and reference texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clincot.records import Example
from clincot.runs.redistribution import redacted


def without_images(
    files: Mapping[str, Path], round_: int, every: Sequence[Example], candidates: Iterable[Path] = ()
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Return the files of a round without images and reference texts, and the facts that say so.

    The full files stay where they are. `every` are all training examples of the benchmark, `candidates` the files of
    the round's candidates where they are not among `files`.
    """
    references = redacted.References.of(every)
    listed = (full for name, full in files.items() if name.startswith(f"round-{round_}-candidates/"))
    edited = redacted.edited_in([*candidates, *listed])
    kept, facts = {}, dict[str, Any]({"withheld": True})
    for name, full in files.items():
        path = full.with_name(f"redacted-{full.name}")
        if name.startswith(f"round-{round_}/"):
            kept[name] = redacted.redact_pairs(full, path, references, edited)
            facts |= {"full_rows_sha256": redacted.sha256_of(full), "size_bytes": path.stat().st_size}
        elif name.startswith(f"round-{round_}-regions/"):
            kept[name] = redacted.redact_regions(full, path)
            facts |= {"full_regions_sha256": redacted.sha256_of(full)}
        else:
            kept[name] = redacted.redact_candidates(full, path, references)
    return kept, facts
