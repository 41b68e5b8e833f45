"""The page of a round's pairs -> a static Space of the target Hub, or the folder of what a push would put there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from clincot.errors import DataError
from clincot.hub.connection import Content
from clincot.records.lineage import Lineage, Pin
from clincot.runs.checks.places import privacy_of
from clincot.runs.preview import seen_as, write_files
from clincot.runs.redistribution import licences
from clincot.runs.releases.cards.page import page_card
from clincot.runs.rounds.viewed import Viewed
from clincot.runs.rounds.viewed_source import ViewedSource
from clincot.runs.run import Run

Say = Callable[[str], None]


def check_page(run: Run, source: ViewedSource) -> None:
    """Raise DataError for a page that may not leave this machine: its images and reference texts are its content.

    These are pages of sealed and of restricted data, and of rows whose terms no lineage names.
    """
    if source.made is None or source.data is None:
        raise DataError(
            f"--push: {source.name} has no lineage, which would name the terms of its images. Push the page of a round"
            " of the run, or of OWNER/NAME@round-1 that clincot made."
        )
    why = _barred(run, source.made, sealed=source.sealed)
    if why:
        raise DataError(
            f"--push: the pairs of {source.name} are {why}, and their page holds images and reference texts. Leave"
            " --push out: the page in the folder is for this machine alone."
        )
    licences.check_release(run, source.made)


def push_page(run: Run, viewed: Viewed, say: Say) -> Pin:
    """Publish the page as a static Space; what an older page had is replaced. Raises DataError, HubError."""
    check_page(run, viewed.source)
    repo, files, card = _planned(run, viewed)
    say(f"pushing space {repo} to {run.target.label}")
    return run.target.publish(
        "space",
        repo,
        files,
        tag=None,
        message=f"Pairs of {viewed.source.data}",
        private=run.private,
        card=lambda _: card,
        replace=("",),
    )


def preview_page(run: Run, viewed: Viewed, say: Say) -> Path:
    """Write what `push_page` would publish below `RUN/dry-run/REPO` and say it; the target is only read."""
    check_page(run, viewed.source)
    repo, files, card = _planned(run, viewed)
    folder = run.folder / "dry-run" / repo
    say(f"would push space {repo} to {run.target.label}, {seen_as(run, 'space', repo)}:")
    write_files({**files, "README.md": card.encode()}, folder, say)
    say(f"written to {folder}; nothing was pushed")
    return folder


def _barred(run: Run, made: Lineage, *, sealed: bool) -> str:
    """Return why a page may not leave this machine, "" where it may."""
    imported = made.facts.get("imported")
    privacy = imported["privacy"] if imported else privacy_of(run.benchmark(made.benchmark).source)
    if privacy == "restricted":
        return "restricted"
    if sealed or "-nd" in str(made.facts.get("licence") or "").lower():
        return f"under {made.facts.get('licence') or 'terms'} that forbid passing them on"
    return ""


def _planned(run: Run, viewed: Viewed) -> tuple[str, Mapping[str, Content], str]:
    """Return the Space's name on the target, its files and its card."""
    made, data = viewed.source.made, viewed.source.data
    assert made is not None and data is not None
    name = data.repo.partition("/")[2].removesuffix("-preferences")
    repo = run.on_target(f"{run.namespace}/{name}-{data.revision}-pairs")
    folder = viewed.page.parent
    files: dict[str, Content] = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    dataset = run.on_target(data.repo)
    there = dataset if run.target.exists("dataset", dataset) else ""
    return repo, files, page_card(repo, data.revision, made, viewed.pairs, there)
