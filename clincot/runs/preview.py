"""A release -> the folder that a push of it would publish, and the lines about it; the target Hub is only read."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from clincot.hub import parse_lineages
from clincot.hub.connection import Content
from clincot.hub.contents import bytes_of
from clincot.hub.pull import info
from clincot.hub.round_files import is_lineage
from clincot.records.lineage import Kind, Lineage
from clincot.runs.redistribution import licences
from clincot.runs.releases import Release
from clincot.runs.releases.pushing import eval_results_of, lineages_on, plan
from clincot.runs.run import Run


def preview(run: Run, release: Release, say: Callable[[str], None]) -> Path:
    """Write what `push` would publish below `RUN/dry-run/REPO` and say it; the target is only read."""
    licences.check_release(run, release.lineage)
    planned = plan(run, release)
    folder = run.folder / "dry-run" / planned.repo
    raw = lineages_on(run.target, planned.repo, release.kind)
    raw |= {path: bytes_of(content) for path, content in planned.files.items() if is_lineage(path)}
    everything = {**planned.files, "README.md": planned.card(dict(sorted(raw.items()))).encode()}
    seen = seen_as(run, release.kind, planned.repo)
    say(f"would push {release.kind} {planned.repo} ({release.tag}) to {run.target.label}, {seen}:")
    write_files(everything, folder, say)
    for absent in planned.absent:
        say(f"  not there yet: {absent}, which its lineage names. Push it too")
    if release.lineage.stage == "evaluate":
        _adapter(run, parse_lineages(raw), say)
    say(f"written to {folder}; nothing was pushed")
    return folder


def _adapter(run: Run, evaluations: Mapping[str, Lineage], say: Callable[[str], None]) -> None:
    """Write and say what a push of results puts onto the adapter's repository, next to the card: `.eval_results`."""
    files = eval_results_of(run, evaluations)
    adapter = run.on_target(run.adapter_repo)
    found = info(run.target, "model", adapter)
    if not files or found is None:
        return say(f"  no round of {adapter} is there, so no adapter shows these results")
    if run.private and not found.private:
        return say(f"the card of {adapter} stays as it is: it is public, these results are not")
    say(f"would show them on model {adapter} too, in its card and:")
    write_files(files, run.folder / "dry-run" / adapter, say)


def write_files(files: Mapping[str, Content], folder: Path, say: Callable[[str], None]) -> None:
    """Write the files below `folder` and say the size and path of each."""
    for path, content in sorted(files.items()):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            place.write_bytes(content)
        else:
            shutil.copyfile(content, place)
        say(f"  {place.stat().st_size:>12,}  {path}")


def seen_as(run: Run, kind: Kind, repo: str) -> str:
    """Return who sees the repository once it is pushed: `private` or `public`."""
    found = info(run.target, kind, repo)
    private = run.private if found is None else found.private
    return "private" if private else "public"
