"""A run and one of its rounds -> its preference rows in another project's format, as a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clincot.errors import DiskFull, RoundError
from clincot.hub import Hub
from clincot.recipe import Conditioning
from clincot.records.atomic import new_folder
from clincot.records.lineage import Lineage, Pin
from clincot.rows import formats
from clincot.runs import releases
from clincot.runs.checks.rows import ROUND
from clincot.runs.releases.cards.method import stated_in
from clincot.runs.rounds.restore import full_rows
from clincot.runs.rounds.train import preferences_of
from clincot.runs.run import Run
from clincot.stages.exchange.exporting import ExportJob, ExportOutcome, export_rows


@dataclass(frozen=True)
class Exported:
    """What was written from which version, and a line that uses it. `sealed`: its images may not be passed on."""

    pin: Pin
    outcome: ExportOutcome
    use: str
    sealed: bool


def export_round(run: Run, round_: str, out: Path, form_name: str, conditioning: Conditioning | None) -> Exported:
    """Write the pairs of `round_` (a number, or a tag for one version of it) to the folder `out`, new or empty.

    `conditioning` None is that of the run's recipe. Raises RoundError for a round that is absent, DataError for pairs
    that the format cannot hold.
    """
    form = formats.load(form_name)
    hub, data = located(run, round_)
    made = releases.read_lineage(hub, data, number_of(round_))
    rows = tuple(_rows(run, hub, data, made))
    images = conditioning or run.recipe.train.conditioning
    if conditioning is None and form.per_side:
        images = "per_side"  # as the rows have them
    try:
        with new_folder(out) as partial:
            outcome = export_rows(ExportJob(rows, form, partial, images))
            (partial / "README.md").write_text(_readme(data, made, form.title, outcome, images), encoding="utf-8")
    except OSError as error:
        raise DiskFull(
            f"{out}: cannot be written ({error.strerror or error}). Free space or name another folder."
        ) from error
    return Exported(data, outcome, form.use(out), bool(made.facts.get("withheld")))


def number_of(round_: str) -> int:
    """Return the number of a round by its number or tag. Raises RoundError for another word."""
    match = ROUND.fullmatch(round_)
    if match is None:
        raise RoundError(f"round {round_!r}: is no round. Give its number, or a tag such as round-1 or round-1-v2.")
    return int(match[1])


def located(run: Run, round_: str) -> tuple[Hub, Pin]:
    """Return where the data of a round, or of one version of it, are. Raises RoundError where they are absent."""
    version = ROUND.fullmatch(round_)
    if version is None or not version[2]:
        return preferences_of(run, number_of(round_))
    tag = f"round-{version[1]}{version[2]}"
    for hub, repo in run.places(run.preferences_repo):
        if tag in hub.tags("dataset", repo):
            return hub, hub.resolve("dataset", repo, tag)
    raise RoundError(f"{run.preferences_repo}: has no tag {tag!r}. Give one that `clincot hub ls` lists.")


def _rows(run: Run, hub: Hub, data: Pin, made: Lineage) -> list[Path]:
    if made.facts.get("withheld"):
        return full_rows(run, hub, data, made)
    config = releases.tag_of(made.round)
    return sorted((hub.snapshot(data, [f"{config}/*"]) / config).glob("*.parquet"))


def _readme(data: Pin, made: Lineage, title: str, outcome: ExportOutcome, conditioning: str) -> str:
    licence = made.facts.get("licence") or "not known: ask the owner of the source"
    lines = [
        f"# Preference rows of {data.repo} ({data.revision})",
        "",
        f"{outcome.rows:,} pairs about {len(outcome.images):,} images in {title}, written by clincot from commit"
        f" `{data.sha}`. Made with: {stated_in(made).cited}. Images of a pair: `{conditioning}`.",
        "",
        f"Licence: {licence}.",
        "",
    ]
    if made.facts.get("withheld"):
        lines += ["**For this machine alone**: the licence forbids passing on images and reference texts.", ""]
    for reason, count in outcome.left_out.items():
        lines += [f"- left out: {count:,} rows {reason}"]
    return "\n".join(lines) + "\n"
