"""A finished stage's files and lineage -> one tagged commit in the run's store, mirrored to the target on push."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from clincot.hub import Hub, RoundFiles, parse_lineages
from clincot.records.lineage import PAIRED_FROM, Kind, Lineage, OwnPin, Pin
from clincot.runs.releases import cards
from clincot.runs.releases.conflict import Existing, made_as_asked, refuse
from clincot.runs.releases.content import by_content
from clincot.runs.releases.tags import folders_of, latest_tag, tag_of, version_of, versions
from clincot.runs.run import Run


@dataclass(frozen=True)
class Release:
    """A stage's result and where it is: `fresh` says whether work was done for it in this call."""

    kind: Kind
    repo: str
    tag: str
    pin: Pin
    lineage: Lineage
    fresh: bool
    pushed: Pin | None = None


def find(run: Run, kind: Kind, repo: str, round_: int) -> tuple[Hub, Pin] | None:
    """Return where the newest version of a round's repository is: the run's store first, then the target Hub."""
    for hub, name in run.places(repo):
        tag = latest_tag(hub.tags(kind, name), round_, run.start)
        if tag is not None:
            return hub, hub.resolve(kind, name, tag)
    return None


def finished(
    run: Run,
    kind: Kind,
    repo: str,
    round_: int,
    inputs: str,
    *,
    new_version: bool,
    pins: Mapping[str, Pin | OwnPin] | None = None,
) -> Release | None:
    """Return the release that already holds what `inputs` would give, None when work is needed.

    Pairs that were drawn again count as those of a build with their settings, unless a new version is asked for. Raises
    TagExists when the round is there with other content and no new version was asked for, naming what differs:
    settings, or `pins`.
    """
    tag = latest_tag(run.store.tags(kind, repo), round_, run.start)
    if tag is None:
        return None
    pin = run.store.resolve(kind, repo, tag)
    lineage = read_lineage(run.store, pin, round_, run.start)
    if lineage.inputs == inputs and not (new_version and PAIRED_FROM in lineage.own):
        return Release(kind, repo, tag, pin, lineage, fresh=False)
    if new_version:
        return None
    recipe = run.store.read(pin, f"rounds/{tag_of(round_, run.start)}/recipe.yaml").decode()
    other = Existing(repo, tag, lineage, recipe, _made_so(run, kind, repo, round_, inputs))
    if made_as_asked(run, other, pins or {}):
        return Release(kind, repo, tag, pin, lineage, fresh=False)
    refuse(run, other, pins or {}, next_tag(run, kind, repo, round_))


def _made_so(run: Run, kind: Kind, repo: str, round_: int, inputs: str) -> str:
    """Return the tag of a version of the round that `inputs` would give, "" where no version has it."""
    tags = run.store.tags(kind, repo)
    for tag in versions(tags, round_, run.start):
        made = read_lineage(run.store, Pin(kind, repo, tag, tags[tag]), round_, run.start)
        if inputs == made.inputs:
            return tag
    return ""


def made_from_another(run: Run, kind: Kind, repo: str, round_: int, own: Mapping[str, OwnPin]) -> bool:
    """Return whether the newest version of a round in the store was made from other versions than `own`, by role."""
    tag = latest_tag(run.store.tags(kind, repo), round_, run.start)
    if tag is None:
        return False
    made = read_lineage(run.store, run.store.resolve(kind, repo, tag), round_, run.start).own
    return any(role in made and made[role].content != pin.content for role, pin in own.items())


def next_tag(run: Run, kind: Kind, repo: str, round_: int, *, pushed: bool = False) -> str:
    """Return the tag of the version after the newest one of the store, or of store and target when `pushed` counts."""
    hubs = run.places(repo) if pushed else ((run.store, repo),)
    tags = {tag: sha for hub, name in hubs for tag, sha in hub.tags(kind, name).items()}
    newest, first = latest_tag(tags, round_, run.start), tag_of(round_, run.start)
    return first if newest is None else f"{first}-v{version_of(newest) + 1}"


def read_lineage(hub: Hub, pin: Pin, round_: int, start: str = "base") -> Lineage:
    """Read the lineage that a round carries; own repositories are pinned by content, also where it is an older one."""
    name = tag_of(round_, start)
    path = f"rounds/{name}/lineage.json"
    return by_content(hub, pin.repo, parse_lineages({path: hub.read(pin, path)})[name])


def commit(
    run: Run, kind: Kind, repo: str, files: Mapping[str, Path], lineage: Lineage, *, tag: str | None = None
) -> Release:
    """Commit files, card, recipe and lineage in one commit to the run's store and tag it last (None: the next tag)."""
    round_ = tag_of(lineage.round, run.start)
    tag = tag or next_tag(run, kind, repo, lineage.round)
    everything: dict[str, Path | bytes] = {
        **files,
        **RoundFiles(round_, run.recipe.to_published_yaml(), lineage).files(),
    }
    pin = run.store.publish(
        kind,
        repo,
        everything,
        tag=tag,
        message=f"{lineage.stage} {tag}",
        private=True,
        card=card_of(kind, repo, lineage.stage),
        replace=folders_of(round_),
    )
    return Release(kind, repo, tag, pin, lineage, fresh=True)


def card_of(kind: Kind, repo: str, stage: str) -> Callable[[Mapping[str, bytes]], str]:
    """Return what renders a repository's card from every round's lineage it will hold."""
    render = {"build-data": cards.dataset_card, "train": cards.adapter_card, "evaluate": cards.results_card}[stage]

    def card(raw: Mapping[str, bytes]) -> str:
        return render(repo, parse_lineages(raw))

    return card
