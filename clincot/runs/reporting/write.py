"""A run -> its report: index.html, and each figure as PNG, SVG and CSV in `figures/`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clincot.errors import ClincotError, DiskFull, RoundError
from clincot.images.views import Gallery
from clincot.records import Example
from clincot.records.atomic import new_folder
from clincot.report.figures.figure import Figure, Missing, Section
from clincot.report.first_screen import first_screen
from clincot.report.run import agreement, chain, cost, curves, findings, lesions, lineage, pairs, rounds
from clincot.report.run.page import FOLDER, Heading, report_page
from clincot.runs.models.pins import examples_at
from clincot.runs.releases import tag_of
from clincot.runs.releases.cards.method import stated_in
from clincot.runs.reporting.stored import Stored
from clincot.runs.run import Run
from clincot.runs.times import read_times
from clincot.stages.evaluate import Evaluation


@dataclass(frozen=True)
class Reported:
    """A report that was written: its page, its figures, and what is missing of the run."""

    page: Path
    figures: tuple[str, ...]
    lacks: tuple[Missing, ...]


def report_run(run: Run, out: Path, *, replace: bool = False) -> Reported:
    """Write the report of what the run's store holds to the folder `out`; `replace`: it may exist.

    Raises RoundError for a run that holds nothing, DataError for damaged files, DiskFull.
    """
    stored = Stored.of(run)
    if not stored.everything:
        raise RoundError(f"{run.name}: holds no result of any stage yet. Run `clincot build-data --name {run.name}`.")
    evaluation = stored.evaluation()
    sections = tuple(_sections(stored, evaluation))
    lacks = tuple(_lacks(stored))
    screen = first_screen(evaluation) if evaluation else None
    page = report_page(_heading(stored), screen, lacks, sections)
    figures = [section for section in sections if isinstance(section, Figure)]
    try:
        with new_folder(out, replace=replace) as partial:
            (partial / FOLDER).mkdir()
            for figure in figures:
                for name, content in figure.files().items():
                    (partial / FOLDER / name).write_bytes(content)
            (partial / "index.html").write_text(page, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise DiskFull(f"{out}: cannot be written ({reason}). Free space or name another folder.") from error
    return Reported(out / "index.html", tuple(figure.name for figure in figures), lacks)


def _heading(stored: Stored) -> Heading:
    made = stored.everything[-1].lineage
    packages = ", ".join(f"{name} {version}" for name, version in made.packages.items())
    return Heading(
        stored.run.name,
        (
            f"{stated_in(made).cited}. Benchmark {made.benchmark}, seed {made.seed}, recipe {made.recipe_hash[:12]}.",
            f"Made with {packages}." if packages else "",
        ),
        stored.sealed,
    )


def _sections(stored: Stored, evaluation: Evaluation | None) -> Iterator[Section]:
    name, rows = stored.run.name, stored.pairs()
    again = f"clincot evaluate --name {name}"
    if evaluation is not None:
        yield rounds.rounds_figure(evaluation.results, evaluation.protocol)
    else:
        yield Missing("Rounds over time", "The run was not evaluated.", again)
    yield _curves(stored)
    yield pairs.margins_figure(rows)
    yield agreement.agreement_figure(stored.candidates())
    yield pairs.scores_figure(rows)
    yield pairs.lengths_figure(rows)
    built, trained = (lineage.by_round(stored.made, stage) for stage in ("build-data", "train"))
    yield pairs.drops_figure(*({tag: made.facts for tag, made in some.items()} for some in (built, trained)))
    yield from _by_region(stored, evaluation, again)
    yield chain.chain_figure(stored.probes(), f"clincot evaluate --probe faithfulness --new-version --name {name}")
    yield cost.cost_figure(stored.made, read_times(stored.run.folder))
    yield lineage.lineage_figure(stored.made)


def _curves(stored: Stored) -> Section:
    histories, name = stored.histories(), stored.run.name
    if histories:
        return curves.curves_figure(histories)
    title = "Training curves"
    if not stored.adapters:
        return Missing(title, "No round was trained.", f"clincot train --round 1 --name {name}")
    newest = stored.adapters[-1].lineage.round
    again = f"clincot train --round {newest} --new-version --name {name}"
    return Missing(title, "The adapters were trained by a version that kept no logs; their cards have a curve.", again)


def _by_region(stored: Stored, evaluation: Evaluation | None, again: str) -> Iterator[Section]:
    titles = (findings.TITLE, lesions.TITLE)
    if evaluation is None:
        return (yield from (Missing(title, "The run was not evaluated.", again) for title in titles))
    if stored.sealed:
        why = "The stored answers are redacted, so what they state cannot be counted."
        return (yield from (Missing(title, why) for title in titles))
    try:
        examples = {example.id: example for example in _examples(stored, evaluation.split)}
    except (ClincotError, KeyError) as error:
        why = f"The benchmark, which knows where findings are, is not at hand ({error})"
        return (yield from (Missing(title, why) for title in titles))
    yield findings.findings_figure(evaluation.predictions, examples)
    yield lesions.lesions_figure(evaluation.predictions, examples)
    if any(one["probe"] == chain.PROBE for one in stored.probes()):
        flips, gallery = stored.flips(), Gallery(examples.values())
        images = {one.example_id: gallery.image(one.example_id) for one in flips if one.example_id in examples}
        yield chain.flips_part(flips, examples, evaluation.predictions, images)


def _examples(stored: Stored, split: str) -> Sequence[Example]:
    run, made = stored.run, stored.results[-1].lineage
    return examples_at(run.target, run.benchmark(made.benchmark), made.pins["benchmark"], split)


def _lacks(stored: Stored) -> Iterator[Missing]:
    """Yield what the recipe asks for and the store does not hold, in the order in which it would be made."""
    run = stored.run
    built, trained, scored = (
        {held.lineage.round for held in some} for some in (stored.datasets, stored.adapters, stored.results)
    )
    if run.start == "sft" and 0 not in trained:
        yield Missing("sft", "has no adapter.", f"clincot train --objective sft --name {run.name}")
    for round_ in range(1, run.recipe.rounds + 1):
        if round_ not in built:
            yield Missing(tag_of(round_), "has no pairs.", f"clincot build-data --round {round_} --name {run.name}")
        if round_ not in trained:
            yield Missing(tag_of(round_), "has no adapter.", f"clincot train --round {round_} --name {run.name}")
    newest = max(trained, default=0)
    if newest not in scored:
        what = tag_of(newest, run.start)
        yield Missing(what, "was not evaluated.", f"clincot evaluate --name {run.name}")
