"""Groups of rows -> train, validation or test by a hash, so that no patient and no image is in two of them."""

from __future__ import annotations

from collections.abc import Sequence

from clincot.benchmarks.partition import joined
from clincot.errors import DataError
from clincot.records.lineage import content_key

DIGITS = 13  # of a sha256: 52 bits, exact as a float


def made_split(group: str, *, seed: int, test: float, validation: float) -> str:
    """Return the split of a patient or an image.

    Its share in [0, 1) is the first 13 hexadecimal digits of the sha256 of the JSON `[seed, group]`; below `test` it is
    in test, below `test + validation` in validation. So a group stays where it is when others are added.
    """
    share = int(content_key(seed, group)[:DIGITS], 16) / 16**DIGITS
    return "test" if share < test else "validation" if share < test + validation else "train"


def groups_of(images: Sequence[tuple[str, ...]], patients: Sequence[str], where: Sequence[str]) -> list[str]:
    """Return the group of each row: its patient, or where none is known all rows that share an image.

    Raises DataError for an image of two patients: one of the two is wrong, and it would be in two splits.
    """
    owner: dict[str, tuple[str, str]] = {}
    for ids, patient, place in zip(images, patients, where, strict=True):
        for id_ in ids if patient else ():
            known, first = owner.setdefault(id_, (patient, place))
            if known != patient:
                raise DataError(
                    f"{place}: its image is that of {first}, of another patient. Correct the patient of one of them."
                )
    unowned = joined([ids for ids, patient in zip(images, patients, strict=True) if not patient])
    return [
        patient or next((owner[id_][0] for id_ in ids if id_ in owner), unowned.get(ids[0], ids[0]) if ids else place)
        for ids, patient, place in zip(images, patients, where, strict=True)
    ]
