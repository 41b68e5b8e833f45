"""A release -> the folder that a push of it would publish, and what is said about it; the target Hub is only read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from clincot.hub.contents import bytes_of
from clincot.hub.pull import info
from clincot.hub.round_files import is_lineage
from clincot.rounds import licences
from clincot.rounds.pushing import lineages_on, plan
from clincot.rounds.releases import Release
from clincot.rounds.run import Run


def preview(run: Run, release: Release, say: Callable[[str], None]) -> Path:
    """Write what `push` would publish below `RUN/dry-run/REPO` and say it; the target is only read."""
    licences.check_public(release.lineage.benchmark, run.private)
    planned = plan(run, release)
    folder = run.folder / "dry-run" / release.repo
    raw = lineages_on(run.target, release.repo, release.kind)
    raw |= {path: bytes_of(content) for path, content in planned.files.items() if is_lineage(path)}
    everything = {**planned.files, "README.md": planned.card(dict(sorted(raw.items()))).encode()}
    say(f"would push {release.kind} {release.repo} ({release.tag}) to {run.target.label}, {_seen(run, release)}:")
    for path, content in sorted(everything.items()):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            place.write_bytes(content)
        else:
            shutil.copyfile(content, place)
        say(f"  {place.stat().st_size:>12,}  {path}")
    for role in planned.lineage.facts.get("only_in_store", ()):
        absent = planned.lineage.pins[role].repo
        say(f"  not there yet: {absent} ({role}). Push it first, so that its commit there can be named")
    say(f"written to {folder}; nothing was pushed")
    return folder


def _seen(run: Run, release: Release) -> str:
    found = info(run.target, release.kind, release.repo)
    private = run.private if found is None else found.private
    return "private" if private else "public"
