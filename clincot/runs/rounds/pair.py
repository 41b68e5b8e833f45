"""A finished round and other numbers for drawing pairs -> its pairs again as a new version, without any model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from clincot.errors import DataError, RecipeError
from clincot.hub import Hub
from clincot.judges.consensus import DEBATE
from clincot.progress import notice
from clincot.recipe import Recipe, recipe_from_yaml
from clincot.records.lineage import PAIRED_FROM, Lineage, Pin
from clincot.runs import releases
from clincot.runs.checks.vetoes import NOTHING, Vetoes
from clincot.runs.pairing import differences, drawn_otherwise
from clincot.runs.redistribution.model_licences import handed_on
from clincot.runs.redistribution.redacted import References, Row, read_rows, sha256_of, shown
from clincot.runs.redistribution.round_files import without_images
from clincot.runs.releases import Release, card_figures
from clincot.runs.releases.content import locate, own_pin
from clincot.runs.roles import judge_roles, judge_sources
from clincot.runs.rounds.build_facts import facts_of
from clincot.runs.rounds.made import examples_of, inputs_of
from clincot.runs.rounds.train import preferences_of
from clincot.runs.rounds.vetoes import FACT, check_vetoes, vetoed_facts, vetoed_in
from clincot.runs.run import Run
from clincot.stages.exchange.importing import METHOD as IMPORTED
from clincot.stages.pair.round import PairJob, pair
from clincot.stages.pair.stored import Reread
from clincot.stages.sample.shards import cut_shards

# Reasons that only drawing counts; rounds of older versions do not list them apart.
REDRAWN = (
    "candidates a judge could not rate",
    "candidates cut at the length limit",
    "candidates that repeat a text",
    "questions without a pair",
    "steps without a pair",
)


def pair_round(run: Run, round_: int, vetoes: Vetoes = NOTHING, say: Callable[[str], object] = notice) -> Release:
    """Draw the pairs of the newest version of `round_` again by the run's settings, commit and tag them.

    The candidates are those of the version that was sampled; of the pairs, those that `vetoes` names are left out.
    Raises RecipeError for settings that only a build can change, DataError when the stored round does not suffice or
    does not have a pair that is vetoed.
    """
    hub, data = preferences_of(run, round_)
    made = releases.read_lineage(hub, data, round_)
    if made.method == IMPORTED:
        raise DataError(f"{data}: its pairs were imported, and there are no candidates to draw others among. Train it.")
    check_vetoes(vetoes, run, hub, data, round_)
    if not differences(_recipe(run, hub, data, round_), run.recipe) and vetoed_in(made) == vetoes.ids:
        _say_vetoed(vetoes, made, say)
        return _standing(run, hub, data, made)
    if PAIRED_FROM in made.own and (found := locate(run, made.own[PAIRED_FROM])):
        hub, data = found
        made = releases.read_lineage(hub, data, round_)
    config = releases.tag_of(round_)
    changed = drawn_otherwise(_recipe(run, hub, data, round_), run.recipe, str(data))
    tag = releases.next_tag(run, "dataset", run.preferences_repo, round_, pushed=True)
    path = run.work(tag, "pair", "merged") / "pairs.parquet"
    files, facts = redraw(run, hub, data, made, path, vetoes.ids)
    source = run.benchmark(made.benchmark).source
    if not made.facts.get("withheld") and card_figures.may_show(source):
        drawn, more = card_figures.of_pairs(files, config, run.work(tag, "pair", "figures"))
        files, facts = {**files, **drawn}, facts | more
    before = {name: change.partition(" -> ")[0] for name, change in changed.items()}
    again = {PAIRED_FROM: {"tag": data.revision, "before": before}} | vetoed_facts(vetoes, facts)
    lineage = run.lineage(
        "build-data",
        round_,
        _inputs(run.recipe, made),
        pins=made.pins,
        own={**made.own, PAIRED_FROM: own_pin(hub, data)},
        sampled_from=made.sampled_from,
        keys=made.keys,
        facts=facts_of(run.recipe, source, facts | again) | handed_on(made),
    )
    _say_vetoed(vetoes, lineage, say)
    return releases.commit(run, "dataset", run.preferences_repo, files, lineage, tag=tag)


def redraw(
    run: Run, hub: Hub, data: Pin, made: Lineage, path: Path, vetoed: frozenset[str] = frozenset()
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Write the round's pairs to `path`; return its files, of which candidates and regions stay, and its facts.

    The benchmark is read at the commit that the round was built from. Pairs with the ids `vetoed` are left out.
    """
    old = _recipe(run, hub, data, made.round)
    every, examples = examples_of(run, old, made.pins["benchmark"], made.round)
    shards, name = cut_shards(examples, old.build.shard_images), releases.tag_of(made.round)
    kept = {config: _files(hub, data, config) for config in (f"{name}-candidates", f"{name}-regions")}
    texts, places = kept.values()
    references = References.of(every) if made.facts.get("withheld") else None
    if references and old.build.regions.crop == "masked":
        places = [_full_regions(run, data, made)]
    candidates = Reread(partial(_candidates, texts, references, len(judge_sources(run.recipe))))
    job = PairJob(run.recipe, made.round, shards, candidates, _rows(places), path, vetoed)
    facts = pair(job, _sampled(made.facts))
    files = {f"{name}/train-00000-of-00001.parquet": path}
    if made.facts.get("withheld"):
        files, more = without_images(files, made.round, every, kept[f"{name}-candidates"])
        facts |= more
    return files | {f"{config}/{one.name}": one for config, found in kept.items() for one in found}, facts


def _recipe(run: Run, hub: Hub, data: Pin, round_: int) -> Recipe:
    text = hub.read(data, f"rounds/{releases.tag_of(round_)}/recipe.yaml").decode()
    return recipe_from_yaml(text, str(data), run.recipe)


def _say_vetoed(vetoes: Vetoes, made: Lineage, say: Callable[[str], object]) -> None:
    if vetoes.ids:
        left = made.facts[FACT]["pairs"]
        absent = len(vetoes.ids) - left
        say(f"vetoed pairs left out: {left:,}" + (f", not drawn by these settings: {absent:,}" if absent else ""))


def _standing(run: Run, hub: Hub, data: Pin, made: Lineage) -> Release:
    if hub is not run.store:
        raise RecipeError(
            f"{data}: holds the pairs of these settings already. Give others with --set, or --exclude FILE."
        )
    return Release("dataset", run.preferences_repo, data.revision, data, made, fresh=False)


def _inputs(recipe: Recipe, made: Lineage) -> str:
    """Return the key of a build by these settings from what the round was built from: the next one finds it here."""
    judges = judge_roles(recipe)
    pins = {role: pin for role, pin in made.pins.items() if role in judges or not role.startswith("judge-")}
    return inputs_of(recipe, pins, made.sampled_from)


def _rows(files: Sequence[Path]) -> Iterator[Row]:
    for path in files:
        yield from read_rows(path)


def _candidates(files: Sequence[Path], references: References | None, judges: int) -> Iterator[Row]:
    for row in _rows(files):
        yield _rated(shown(row, references) if references else row, judges)


def _rated(row: Row, wanted: int) -> Row:
    """Return the row. Raises DataError for one that fewer judges rated than are to be counted."""
    held = sum(score["judge"] != DEBATE for score in row["judge_scores"])
    if 0 < held < wanted:
        raise DataError(
            f"{row['id']}: was rated by {held} judges, not by {wanted}."
            " Lower build.judging.judges, or build the round again."
        )
    return row


def _files(hub: Hub, data: Pin, config: str) -> list[Path]:
    found = sorted((hub.snapshot(data, [f"{config}/*"]) / config).glob("*.parquet"))
    if not found:
        raise DataError(f"{data}: has no config {config!r}, so its pairs cannot be drawn again. Build the round again.")
    return found


def _full_regions(run: Run, data: Pin, made: Lineage) -> Path:
    """Return the round's regions with their masks, which stay on the machine that built them."""
    for path in sorted(run.folder.glob(f"{releases.tag_of(made.round)}*/*/merged/regions.parquet")):
        if sha256_of(path) == made.facts.get("full_regions_sha256"):
            return path
    raise DataError(
        f"{data}: its masks are redacted and this machine did not build them."
        " Draw the pairs where they were built, or build the round again with --new-version."
    )


def _sampled(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a round without those that its pairs counted."""
    drops = facts.get("drops", {})
    unpaired = facts.get("unpaired", {name: drops.get(name, 0) for name in REDRAWN})
    kept = {name: fact for name, fact in facts.items() if name != FACT}
    return kept | {"drops": dict(Counter(drops) - Counter(unpaired))}
