"""Texts, names of files and headers of images -> what may name a person: kinds and places, never what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from clincot.benchmarks.own.naming import kinds_in
from clincot.runs.data_check.finding import Finding
from clincot.runs.data_check.held import Held
from clincot.runs.data_check.images import Looked

TEXTS = ("question", "answer", "reference", "kind", "own_id")


def name_findings(held: Held, looked: Mapping[str, Looked]) -> tuple[Finding, ...]:
    """Return what may identify people. It is a fault where the data are declared public.

    The package's own benchmarks were released by others: for them all of it is a notice.
    """
    fault = held.source.privacy == "public" and held.own
    names = frozenset(name for one in looked.values() if one.header for name in one.header.names)
    files = [f"{one.where}: its file's name has a {kind}" for one in looked.values() for kind in _kinds(one, names)]
    public = "Declare them `restricted`, or" if fault else "Before they go anywhere,"
    return (
        *Finding.of(
            fault, "texts may name people or days", list(_texts(held, names)), f"{public} replace these texts."
        ),
        *Finding.of(False, "files have names that may identify", files, "They stay here: rows hold ids of images."),
        *Finding.of(
            False, "fields of DICOM headers identify", _fields(looked), "Headers stay here: rows hold pixels as PNG."
        ),
        *Finding.of(
            fault,
            "DICOM files say that text is burned into their pixels",
            [one.where for one in looked.values() if one.header and one.header.burned_in],
            f"{public} cover it: regions, crops and models see it.",
        ),
        *Finding.of(
            False,
            "DICOM files do not say whether text is burned in",
            [one.where for one in looked.values() if one.header and one.header.burned_in is None],
            "Look at some of them.",
        ),
        *Finding.of(
            False,
            "files carry EXIF, comments or other notes",
            [one.where for one in looked.values() if one.notes and one.header is None],
            "Notes stay here: rows hold pixels as PNG.",
        ),
    )


def _texts(held: Held, names: frozenset[str]) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for example in (example for examples in held.splits.values() for example in examples):
        for column in TEXTS:
            text = str(getattr(example, column))
            if column == "reference" and text == example.answer:
                continue
            for kind in sorted(kinds_in(text, names)):
                if (example.id, f"{column} {kind}") not in seen:
                    seen.add((example.id, f"{column} {kind}"))
                    yield f"{example.id}: its {column} has a {kind}"


def _kinds(one: Looked, names: frozenset[str]) -> list[str]:
    return sorted(kinds_in(one.path.rpartition(".")[0] or one.path, names))


def _fields(looked: Mapping[str, Looked]) -> list[str]:
    counts = Counter(field for one in looked.values() if one.header for field in one.header.fields)
    return [f"{field} in {count:,} files" for field, count in counts.most_common()]
