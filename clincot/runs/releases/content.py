"""A version of one of the run's own repositories <-> a pin by content, the same in its store and on every Hub."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache

from clincot.errors import NotOnHub, TagExists
from clincot.hub import Hub
from clincot.hub.round_files import is_lineage
from clincot.records.lineage import Lineage, OwnPin, Pin
from clincot.runs.releases.tags import belongs, name_of
from clincot.runs.run import Run

COMMIT = 40  # digits of a commit, which pins of older versions have in place of a content


@lru_cache(maxsize=256)
def content_of(hub: Hub, pin: Pin) -> str:
    """Return the sha256 of the lines `SHA256  PATH` of the round's files, sorted by path, as `sha256sum` prints them.

    The round is that of the pin's tag. Its lineage is left out, and so are files of the whole repository (README.md,
    .gitattributes, .eval_results). The Hub knows the sha256 of large files; small ones are read.
    """
    files, round_ = hub.list_files(pin), name_of(pin.revision)
    lines = []
    for path in sorted(path for path in files if belongs(path, round_) and not is_lineage(path)):
        oid = files[path].oid
        sha256 = oid if len(oid) != COMMIT else hashlib.sha256(hub.read(pin, path)).hexdigest()
        lines.append(f"{sha256}  {path}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def own_pin(hub: Hub, pin: Pin) -> OwnPin:
    """Pin a tagged version by its content."""
    return OwnPin(pin.kind, pin.repo.rpartition("/")[2], pin.revision, content_of(hub, pin))


def locate(run: Run, own: OwnPin) -> tuple[Hub, Pin] | None:
    """Return where a version is, the run's store first; None where no place has its tag.

    Raises TagExists where the tag holds other content than the pin names.
    """
    others = []
    for hub, repo in run.places(own.next_to(run.adapter_repo)):
        sha = hub.tags(own.kind, repo).get(own.tag)
        if sha is None:
            continue
        pin = Pin(own.kind, repo, own.tag, sha)
        if _holds(hub, pin, own):
            return hub, pin
        others.append(f"{repo} in {hub.label}")
    if others:
        raise TagExists(
            f"{', '.join(others)}: the tag {own.tag!r} holds other content than {own}."
            " Give the Hub that holds it with --hub, or make what follows from it again with --new-version."
        )
    return None


def check_pinned(run: Run, lineage: Lineage) -> list[str]:
    """Return the repositories that a lineage names and the target does not have yet at the tag.

    Raises TagExists for one that holds other content there: a card must not name it.
    """
    absent = []
    for own in lineage.own.values():
        repo = run.on_target(own.next_to(run.adapter_repo))
        sha = run.target.tags(own.kind, repo).get(own.tag)
        if sha is None:
            absent.append(repo)
        elif not _holds(run.target, Pin(own.kind, repo, own.tag, sha), own):
            raise TagExists(
                f"{run.target.label}: {repo} at {own.tag!r} holds other content than this was made from ({own})."
                " Push as another run with --name."
            )
    return absent


def by_content(hub: Hub, repo: str, lineage: Lineage) -> Lineage:
    """Return the lineage of `repo` with pins of older versions, which are commits of this Hub, as pins by content."""
    found = {}
    for role, own in lineage.own.items():
        if len(own.content) == COMMIT:
            pin = Pin(own.kind, own.next_to(repo), own.tag, own.content)
            try:
                found[role] = replace(own, content=content_of(hub, pin))
            except NotOnHub:
                continue  # the adapter was pushed before its data: the commit is one of the run's store
    return replace(lineage, own=lineage.own | found)


def _holds(hub: Hub, pin: Pin, own: OwnPin) -> bool:
    return own.content in (pin.sha, content_of(hub, pin))
