"""Examples by split, patients and pixels -> what is in two splits and should be in one; splits that are missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from clincot.records import Example
from clincot.runs.data_check.finding import Finding
from clincot.runs.data_check.images import Looked

NEEDED = ("train", "test")
MAJORITY = 0.8  # of closed answers that are one text: above it, a constant answers most of them


def split_findings(
    splits: Mapping[str, list[Example]], patients: Mapping[str, str], looked: Mapping[str, Looked]
) -> tuple[Finding, ...]:
    """Return images and patients of two splits, copies within a split, identities that clash, and missing splits."""
    missing = [f"no {name} split (there are {', '.join(splits) or 'none'})" for name in NEEDED if not splits.get(name)]
    crossing, copies = _copies(splits, looked)
    return (
        *Finding.of(True, "splits are missing", missing, "Declare `split`, or shares for splits that are made."),
        *Finding.of(
            True,
            "images are in two splits by their pixels",
            crossing,
            "Keep each in one split, or what is measured is memory.",
        ),
        *Finding.of(
            True, "patients are in two splits", _patients(splits, patients), "Declare `patient`, and no `split`."
        ),
        *Finding.of(
            True,
            "patient ids have two names or days of birth in DICOM headers",
            _identities(splits, patients, looked),
            "Correct the ids: they decide the splits.",
        ),
        *Finding.of(False, "images are copies of others in their split", copies, "Remove the copies."),
        *Finding.of(
            False, "answers hardly vary", list(_constant(splits)), "Compare with the control `constant_template`."
        ),
    )


def _copies(splits: Mapping[str, list[Example]], looked: Mapping[str, Looked]) -> tuple[list[str], list[str]]:
    """Return the images with equal pixels in two splits, and in one; each named with the first of its kind."""
    places: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    for split, examples in splits.items():
        for example in examples:
            for number, image_id in enumerate(example.image_ids):
                if pixels := looked[image_id].pixels:
                    places[pixels].setdefault((split, image_id), f"{split}: {example.label_of(number)}")
    crossing: list[str] = []
    copies: list[str] = []
    for found in places.values():
        (first, _), *rest = found
        name, *others = found.values()
        for (split, _), other in zip(rest, others, strict=True):
            (crossing if split != first else copies).append(f"{other} = {name}")
    return crossing, copies


def _patients(splits: Mapping[str, list[Example]], patients: Mapping[str, str]) -> list[str]:
    first: dict[str, tuple[str, str]] = {}
    cases: dict[str, str] = {}
    for split, examples in splits.items():
        for example in examples:
            patient = patients.get(example.id, "")
            if not patient:
                continue
            known, where = first.setdefault(patient, (split, example.image_label))
            if known != split:
                cases.setdefault(patient, f"the patient of {where} ({known}) and of {example.image_label} ({split})")
    return list(cases.values())


def _identities(
    splits: Mapping[str, list[Example]], patients: Mapping[str, str], looked: Mapping[str, Looked]
) -> list[str]:
    known: dict[str, tuple[tuple[str, str], str]] = {}
    cases: dict[str, str] = {}
    every = ((e, number) for examples in splits.values() for e in examples for number in range(len(e.image_ids)))
    for example, number in every:
        header, patient = looked[example.image_ids[number]].header, patients.get(example.id, "")
        if header is None or not patient:
            continue
        said, where = known.setdefault(patient, ((header.patient, header.born), example.label_of(number)))
        if said != (header.patient, header.born):
            cases.setdefault(patient, f"{where} and {example.label_of(number)}")
    return list(cases.values())


def _constant(splits: Mapping[str, list[Example]]) -> Iterator[str]:
    for split, examples in splits.items():
        closed = Counter(example.answer.strip().lower() for example in examples if example.answer_type == "closed")
        total = closed.total()
        for most, count in closed.most_common(1):
            if count > MAJORITY * total and total > 1:
                yield f"{split}: {count / total:.0%} of {total:,} closed answers are {most[:40]!r}"
