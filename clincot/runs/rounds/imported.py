"""A run and rows of another project -> the tagged preference dataset of a round, whose pairs are static."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clincot.benchmarks.base import Privacy
from clincot.errors import TagExists
from clincot.records.lineage import Lineage, Pin, content_key
from clincot.rows import formats
from clincot.rows.formats.base import Format
from clincot.runs import releases
from clincot.runs.redistribution.redacted import sha256_of
from clincot.runs.releases import Release
from clincot.runs.releases.tags import latest_tag, tag_of
from clincot.runs.rounds.imported_facts import said_of, stated_of
from clincot.runs.rounds.imported_source import Found, find_rows
from clincot.runs.run import Run
from clincot.stages.exchange.gold import read_gold
from clincot.stages.exchange.importing import METHOD, ImportJob, ImportOutcome, import_rows
from clincot.stages.exchange.rules import KEEPABLE, NO_MARGIN, Rules

Say = Callable[[str], None]


@dataclass(frozen=True)
class RowsToImport:
    """What a user gives: `source` is a file or REPO[@REV][:PATH] of the target Hub, `format` a name of FORMATS.

    `images` is the folder in which image paths begin (None: that of the file). `licence` and `languages` are shown on
    the card, nothing where they are not known. `margin` is `none`, `column` or a number of nats. `gold` is a file of
    questions with their answers. `keep` are names of KEEPABLE. `max_broken` is the share of rows that may be no pairs.
    `privacy` says where the rows, and what is made of them, may go (docs/privacy.md).
    """

    source: str
    format: str
    images: Path | None = None
    licence: str = ""
    languages: tuple[str, ...] = ()
    privacy: Privacy = "restricted"
    margin: str = NO_MARGIN
    gold: Path | None = None
    keep: tuple[str, ...] = ()
    max_broken: float = 0.01


def import_round(run: Run, rows: RowsToImport, round_: int, *, new_version: bool, say: Say) -> Release:
    """Import, commit and tag `round_`; the same rows imported again are the existing round.

    Raises DataError for rows that cannot be read, TagExists where the round exists with other rows and no new version
    is asked for.
    """
    form = formats.load(rows.format)
    found = find_rows(run.target, rows.source)
    path = run.work(f"{tag_of(round_)}-import") / "pairs.parquet"
    outcome = import_rows(_job(rows, form, found, round_, path))
    for line in said_of(outcome, form, rows.margin):
        say(line)
    inputs = content_key(METHOD, outcome.digest, form.name, rows.licence, rows.languages, rows.margin, rows.privacy)
    done = _existing(run, round_, inputs, new_version=new_version)
    if done:
        return done
    lineage = run.lineage(
        "build-data",
        round_,
        inputs,
        pins={"rows": found.pin} if found.pin else {},
        facts=_facts(rows, form, found, outcome),
    )
    lineage = replace(lineage, method=METHOD, benchmark="")  # no benchmark was read
    files = {f"{tag_of(round_)}/train-00000-of-00001.parquet": path}
    return releases.commit(run, "dataset", run.preferences_repo, files, lineage)


def _job(rows: RowsToImport, form: Format, found: Found, round_: int, path: Path) -> ImportJob:
    return ImportJob(
        files=found.files,
        form=form,
        images=rows.images or found.folder,
        path=path,
        round=round_,
        margin=rows.margin,
        rules=Rules(form.leaks, read_gold(rows.gold) if rows.gold else None),
        keep=frozenset(rule for name in rows.keep for rule in KEEPABLE[name]),
        most_broken=rows.max_broken,
        within=None if rows.images else found.within,
        links=None if rows.images else found.links,
    )


def _facts(rows: RowsToImport, form: Format, found: Found, outcome: ImportOutcome) -> dict[str, Any]:
    shas = [sha256_of(file) for file in found.files]
    stated = stated_of(form, found.pin, shas, outcome.facts, rows.margin)
    kept = {name: value for name, value in (("licence", rows.licence), ("source", _repo(found.pin))) if value}
    return {
        **outcome.facts,
        **kept,
        "languages": list(rows.languages),
        "imported": {"format": rows.format.rsplit("/", 1)[-1], "sha256": shas, "privacy": rows.privacy},
        "method": stated.to_facts(),
    }


def _repo(pin: Pin | None) -> str:
    return pin.repo if pin else ""


def _existing(run: Run, round_: int, inputs: str, *, new_version: bool) -> Release | None:
    """Return the round's newest version where it has these rows. Raises TagExists for other rows."""
    repo = run.preferences_repo
    tag = latest_tag(run.store.tags("dataset", repo), round_)
    if tag is None:
        return None
    pin = run.store.resolve("dataset", repo, tag)
    made = releases.read_lineage(run.store, pin, round_)
    if made.inputs == inputs:
        return Release("dataset", repo, tag, pin, made, fresh=False)
    if new_version:
        return None
    raise TagExists(
        f"{repo}: {tag!r} in {run.store.label} {_what(made)}, and a tag never moves. Give --new-version for"
        f" {releases.next_tag(run, 'dataset', repo, round_)!r}, or --name for another run."
    )


def _what(made: Lineage) -> str:
    return "has other rows, or was imported otherwise" if made.method == METHOD else "was built, not imported"
