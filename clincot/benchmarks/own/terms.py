"""Declared licence and privacy, and the names in the data -> whether anything made of them may be passed on."""

from __future__ import annotations

from collections.abc import Iterable

from clincot.benchmarks.base import Privacy
from clincot.benchmarks.own.declared import Declared
from clincot.hub.licences import CREDENTIALED

OPEN: tuple[str, ...] = (
    "cc0",
    "cc-by-2",
    "cc-by-3",
    "cc-by-4",
    "cc-by-sa",
    "cc-by-nc-2",
    "cc-by-nc-3",
    "cc-by-nc-4",
    "cc-by-nc-sa",
)
OPEN += ("mit", "apache-2.0", "bsd", "odc-by", "odbl", "pddl", "cdla", "c-uda", "unlicense")
AGREEMENTS = (*CREDENTIALED, "physionet credentialed", "data use agreement")


def privacy_of(declared: Declared, names: Iterable[str]) -> Privacy:
    """Return where the data may go: restricted under an agreement that forbids more, also where more is declared."""
    return "restricted" if agreement_in([declared.licence, declared.repo, *names]) else declared.privacy


def barred(declared: Declared, names: Iterable[str]) -> str:
    """Return why images and texts stay out of every push, "" where they may be in one; `names`: of files and folders.

    Whether a push may be public is decided by `privacy_of` as well.
    """
    agreement = agreement_in([declared.licence, declared.repo, *names])
    if agreement:
        return f"looks like {agreement.upper()} data, which are restricted by their agreement"
    if declared.privacy == "restricted":
        return "is restricted"
    if not declared.licence:
        return "declares no licence"
    if not declared.licence.lower().startswith(OPEN):
        return f"is under {declared.licence}, which is not known to allow passing it on"
    return ""


def agreement_in(names: Iterable[str]) -> str:
    """Return the word of an agreement (MIMIC's) that one of `names` holds, "" for none."""
    return next((word for name in names for word in AGREEMENTS if word in name.lower()), "")
