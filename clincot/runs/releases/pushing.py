"""A release in the run's store -> the same files and tag on the target Hub, with a card of the lineages there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from clincot.hub import Hub, parse_lineages
from clincot.hub.account import check_may_write
from clincot.hub.connection import Card, Content
from clincot.hub.eval_results import eval_results, path_of
from clincot.hub.pull import info
from clincot.hub.round_files import is_lineage
from clincot.recipe.choices import is_elsewhere
from clincot.recipe.own_data import is_own
from clincot.records.lineage import Kind, Lineage, Pin
from clincot.runs import releases
from clincot.runs.redistribution import licences, model_licences
from clincot.runs.releases import Release, cards
from clincot.runs.releases.content import check_pinned, content_of
from clincot.runs.releases.tags import belongs, folders_of, tag_of
from clincot.runs.run import Run


@dataclass(frozen=True)
class Plan:
    """What a push puts into `repo` of the target: the store's files by path, and the card.

    `absent` are repositories that the lineage names and the target does not have yet.
    """

    repo: str
    absent: list[str]
    files: Mapping[str, Content]
    card: Card


def check_push(run: Run) -> None:
    """Raise HubError or DataError for a push that the target or a licence would refuse, before the work for it."""
    licences.check_push(run, run.recipe.benchmark)
    model_licences.check_models(run)
    namespace = run.on_target(run.adapter_repo).partition("/")[0]
    check_may_write(run.target, run.account, namespace)


def push(run: Run, release: Release, say: Callable[[str], None]) -> Release:
    """Publish what the store holds at the release's tag to the target Hub, under the same tag.

    Results are written onto the adapter's card too (main alone: its tags stay). Raises DataError for a public push of
    data that may not be passed on, TagExists when the tag holds other content.
    """
    licences.check_release(run, release.lineage)
    pushed = _held(run, release) or _publish(run, release, say)
    if release.lineage.stage == "evaluate":
        _show_on_adapter(run, release.tag, say)
    return replace(release, pushed=pushed)


def _held(run: Run, release: Release) -> Pin | None:
    """Return the target's version of the release where it holds the same content; no file is read for it twice."""
    repo = run.on_target(release.repo)
    sha = run.target.tags(release.kind, repo).get(release.tag)
    if sha is None:
        return None
    pin = Pin(release.kind, repo, release.tag, sha)
    return pin if content_of(run.target, pin) == content_of(run.store, release.pin) else None


def _publish(run: Run, release: Release, say: Callable[[str], None]) -> Pin:
    planned = plan(run, release)
    say(f"pushing {release.kind} {planned.repo} ({release.tag}) to {run.target.label}")
    return run.target.publish(
        release.kind,
        planned.repo,
        planned.files,
        tag=release.tag,
        message=f"{release.lineage.stage} {release.tag}",
        private=run.private,
        card=planned.card,
        replace=folders_of(tag_of(release.lineage.round, run.start)),
    )


def plan(run: Run, release: Release) -> Plan:
    """Read the release from the store; nothing is written. Raises TagExists where the target contradicts it."""
    absent = check_pinned(run, release.lineage)
    round_ = tag_of(release.lineage.round, run.start)
    paths = [path for path in run.store.list_files(release.pin) if belongs(path, round_)]
    wanted = [f"{folder}/*" for folder in (*folders_of(round_), f"rounds/{round_}")]
    folder = run.store.snapshot(release.pin, [*wanted, "adapter_*"])
    files: dict[str, Content] = {path: folder / path for path in paths}
    path = f"rounds/{round_}/lineage.json"
    files[path] = (
        model_licences.with_acknowledged(run, release.lineage).to_json().encode()
    )  # the same bytes; commits of an older version become contents
    repo = run.on_target(release.repo)
    render = releases.card_of(release.kind, repo, release.lineage.stage)
    if release.lineage.stage == "train":
        render = adapter_card(run)
    return Plan(repo, absent, files, render)


def adapter_card(run: Run) -> Card:
    """Return what renders the adapter's card on the target, with the results that are there."""
    evaluations = parse_lineages(lineages_on(run.target, run.on_target(run.results_repo)))

    def card(raw: Mapping[str, bytes]) -> str:
        return cards.adapter_card(run.on_target(run.adapter_repo), parse_lineages(raw), evaluations)

    return card


def lineages_on(hub: Hub, repo: str, kind: Kind = "dataset") -> dict[str, bytes]:
    """Return path -> bytes of every round's lineage on main; empty when the repo is absent."""
    if not hub.exists(kind, repo):
        return {}
    head = hub.resolve(kind, repo)
    return {path: hub.read(head, path) for path in hub.list_files(head) if is_lineage(path)}


def eval_results_of(run: Run, evaluations: Mapping[str, Lineage]) -> dict[str, Content]:
    """Return the headline results of `evaluations` about the rounds on the target, as `.eval_results`."""
    if not evaluations:
        return {}
    last = max(evaluations.values(), key=lambda lineage: lineage.round)
    if is_own(last.benchmark) or is_elsewhere(last.benchmark):
        return {}  # such results are of a dataset that a Hub lists as a benchmark
    rounds = set(parse_lineages(lineages_on(run.target, run.on_target(run.adapter_repo), "model")))
    rows = [row for row in last.facts["rows"] if row["headline"] and row["policy"] in rounds]
    # A split that the repository does not have must not look like its own.
    split = f"{last.benchmark}-{last.facts['split']}" if last.facts.get("own_cut") else last.facts["split"]
    content = eval_results(rows, last.pins["benchmark"], split, last.facts.get("cut", ""))
    return {path_of(last.benchmark): content} if rows else {}


def _show_on_adapter(run: Run, tag: str, say: Callable[[str], None]) -> None:
    adapter = run.on_target(run.adapter_repo)
    found = info(run.target, "model", adapter)
    if found is None:
        return
    if run.private and not found.private:
        say(f"the card of {adapter} stays as it is: it is public, these results are not")
        return
    run.target.publish(
        "model",
        adapter,
        eval_results_of(run, parse_lineages(lineages_on(run.target, run.on_target(run.results_repo)))),
        tag=None,
        message=f"Show the results of {tag}",
        private=run.private,
        card=adapter_card(run),
    )
