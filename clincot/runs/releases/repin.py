"""A release in the run's store -> its lineage with pins that resolve where it is pushed to."""

from __future__ import annotations

from dataclasses import replace

from clincot.errors import HubError, TagExists
from clincot.hub import FileInfo
from clincot.records.lineage import Lineage, Pin
from clincot.runs import releases
from clincot.runs.releases import Release, tag_of
from clincot.runs.run import Run


def repinned(run: Run, release: Release) -> Lineage:
    """Return the lineage whose pins of this run's own repositories resolve on the target.

    The store's commits are kept as `facts.store_shas`; what is not on the target yet keeps its pin and is named in
    `facts.only_in_store`. A lineage that the target holds already is kept, so that a repeated push changes nothing.
    """
    held = _held(run, release)
    if held is not None and _anywhere(held, run) == _anywhere(release.lineage, run):
        return held
    pins, store_shas, absent = _renamed(release.lineage, run), {}, []
    for role, pin in release.lineage.pins.items():
        if pin.repo not in _own(run):
            continue
        sha = run.target.tags(pin.kind, pins[role].repo).get(pin.revision)
        if sha is None:
            absent.append(role)
        elif sha != pin.sha:
            pins[role] = replace(pins[role], sha=sha)
            store_shas[role] = pin.sha
            _check_same(run, pin, pins[role])
    facts = dict(release.lineage.facts)
    facts |= {"store_shas": store_shas} if store_shas else {}
    facts |= {"only_in_store": sorted(absent)} if absent else {}
    return replace(release.lineage, pins=pins, facts=facts)


def _own(run: Run) -> set[str]:
    return {run.preferences_repo, run.adapter_repo, run.results_repo}


def _renamed(lineage: Lineage, run: Run) -> dict[str, Pin]:
    """Return the pins with the run's own repositories under their names on the target."""
    return {
        role: replace(pin, repo=run.on_target(pin.repo)) if pin.repo in _own(run) else pin
        for role, pin in lineage.pins.items()
    }


def _held(run: Run, release: Release) -> Lineage | None:
    repo = run.on_target(release.repo)
    sha = run.target.tags(release.kind, repo).get(release.tag)
    if sha is None:
        return None
    pin = Pin(release.kind, repo, release.tag, sha)
    if f"rounds/{tag_of(release.lineage.round, run.start)}/lineage.json" not in run.target.list_files(pin):
        return None  # something else altogether; the push will say so
    return releases.read_lineage(run.target, pin, release.lineage.round, run.start)


def _anywhere(lineage: Lineage, run: Run) -> Lineage:
    """Return the lineage without what depends on the Hub it stands on, and without timings."""
    own = {run.on_target(repo) for repo in _own(run)}
    pins = {role: replace(pin, sha="") if pin.repo in own else pin for role, pin in _renamed(lineage, run).items()}
    local = {"store_shas", "only_in_store", "seconds"}
    return replace(lineage, pins=pins, facts={k: v for k, v in lineage.facts.items() if k not in local})


def _check_same(run: Run, pin: Pin, there: Pin) -> None:
    """Refuse to name a version of the target that holds other rows or weights than this release was made from."""
    try:
        ours = run.store.list_files(run.store.resolve(pin.kind, pin.repo, pin.sha))
    except HubError as error:
        raise HubError(
            f"{pin}: is neither in {run.store.label} nor on {run.target.label}. Push its stage again."
        ) from error
    theirs = run.target.list_files(there)
    round_ = releases.name_of(pin.revision)
    data = [path for path in ours if releases.belongs(path, round_) and not path.startswith("rounds/")]
    odd = [path for path in data if path not in theirs or not _same(ours[path], theirs[path])]
    if odd:
        raise TagExists(
            f"{run.target.label}: {pin.repo} at {pin.revision!r} holds another {odd[0]} than this was made from."
            " Push as another run with --name."
        )


def _same(ours: FileInfo, theirs: FileInfo) -> bool:
    """Compare by content where both Hubs keep the file the same way (git or LFS), else by size."""
    return ours.size == theirs.size and (len(ours.oid) != len(theirs.oid) or ours.oid == theirs.oid)
