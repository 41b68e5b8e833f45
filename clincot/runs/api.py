"""A recipe -> a run; a run and a round -> what its stages make: the functions behind the commands, for Python.

Stages are imported when they are called: they load Hub clients, which read HF_ENDPOINT once, and `open_run` sets it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from clincot.executors.world import ALONE, World
from clincot.recipe import Recipe

if TYPE_CHECKING:
    from clincot.executors.base import Executor
    from clincot.runs.results import RoundAdapter, RoundData, RunResults, StageResult
    from clincot.runs.rounds.imported import RowsToImport
    from clincot.runs.run import Run

Say = Callable[[str], None]
Made = TypeVar("Made", bound="StageResult")


def silent(message: str) -> None:
    """Say nothing: what a stage reports is for those who pass `say=print`."""


def open_run(
    recipe: Recipe,
    *,
    name: str = "",
    hub: str = "",
    namespace: str = "",
    public: bool = False,
    folder: str = "runs",
    acknowledge: Sequence[str] = (),
) -> Run:
    """Open the run of a recipe, a new one or one that `folder` holds; nothing is built, trained or pushed.

    Call it before `datasets`, `transformers` or `huggingface_hub` are imported: they read once which Hub to use.

    Args:
        recipe: from `load_recipe`.
        name: name of the run; empty: recipe-setting-benchmark.
        hub: target Hub, `local:PATH` or a URL; empty: HF_ENDPOINT, else the setting's.
        namespace: user or organisation on the target; empty: the setting's.
        public: whether a push makes public repositories.
        folder: folder of all runs.
        acknowledge: licences of models whose clauses on outputs you have read; a public push needs them.

    Returns:
        The run, which the other functions take.

    Raises:
        ClincotError: a name, a value or a combination of them cannot work; the message says what to do.
    """
    from clincot.runs import run
    from clincot.runs.redistribution.clauses import check_known
    from clincot.runs.redistribution.licences import check_public

    check_known(tuple(acknowledge))
    check_public(recipe.benchmark, not public)
    return run.open_run(
        recipe,
        name=name or None,
        hub=hub or None,
        namespace=namespace or None,
        private=not public,
        acknowledged=tuple(acknowledge),
        folder=Path(folder),
    )


def build(
    run: Run, round: int = 1, *, new_version: bool = False, say: Say = silent, executor: Executor | None = None
) -> RoundData:
    """Build a round's preference dataset: hypotheses, regions, candidates, ratings and pairs.

    A build that was cut off goes on where it was; a finished one is returned as it is.

    Args:
        run: from `open_run`.
        round: which round, 1 to `run.recipe.rounds`. Its policy is the adapter of the round before.
        new_version: make `round-N-v2` where `round-N` exists with other content.
        say: receives progress in words.
        executor: whose processes build the shards, from `clincot.executors.load`; None: this process.

    Returns:
        The dataset: parquet files of pairs, candidates and regions, its tag, commit and lineage.

    Raises:
        RoundError: the adapter of the round before is missing.
        TagExists: the round exists with other content, and no new version was asked for.
    """
    _prepare(run, round, say)
    from clincot.runs.results import RoundData
    from clincot.runs.rounds.build import build_round

    return RoundData(build_round(run, round, new_version=new_version, executor=executor), run)


def import_rows(
    run: Run, rows: RowsToImport, round: int = 1, *, new_version: bool = False, say: Say = silent
) -> RoundData:
    """Make a round of preference rows that others wrote; its pairs are static, and no model is loaded.

    Args:
        run: from `open_run`, of the recipe `rows` or another whose training suits the rows.
        rows: from `clincot.runs.rounds.imported`: where they are and in which format.
        round: which round.
        new_version: make `round-N-v2` where `round-N` exists with other rows.
        say: receives counts in words: rows that are no pairs, those left out by reason, weights, lengths.

    Returns:
        The dataset; the existing one where it has these rows.

    Raises:
        DataError: rows that cannot be read, or too many that are no pairs.
        TagExists: the round exists with other rows, and no new version was asked for.
    """
    from clincot.runs.checks import check_round
    from clincot.runs.results import RoundData
    from clincot.runs.rounds.imported import import_round

    check_round(run.recipe, round)
    return RoundData(import_round(run, rows, round, new_version=new_version, say=say), run)


def pair(run: Run, round: int = 1, *, exclude: Path | None = None, say: Say = silent) -> RoundData:
    """Draw a finished round's pairs again by the recipe's numbers, as a new version; no model is loaded.

    Args:
        run: from `open_run`, with the round's settings and other numbers for drawing pairs.
        round: which round.
        exclude: a veto file that the page of `clincot view` wrote; its pairs are left out.
        say: receives progress in words.

    Returns:
        The dataset of the new version; the existing one where it has the pairs of these settings.

    Raises:
        RoundError: the round has no dataset.
        RecipeError: the recipe asks for other candidates, which only `build` can give.
        DataError: the stored round does not suffice, no pair comes out, or the veto file is of another round.
    """
    from clincot.runs.checks.vetoes import NOTHING, read_vetoes

    vetoes = read_vetoes(exclude) if exclude else NOTHING
    _prepare(run, round, say)
    from clincot.runs.results import RoundData
    from clincot.runs.rounds.pair import pair_round

    return RoundData(pair_round(run, round, vetoes, say), run)


def train(
    run: Run, round: int = 1, *, new_version: bool = False, say: Say = silent, world: World = ALONE
) -> RoundAdapter:
    """Train a round's LoRA adapter on its preference dataset, from the adapter of the round before.

    Args:
        run: from `open_run`.
        round: which round; 0 is the adapter `sft`, from which round 1 starts when the recipe has `train.start: sft`.
        new_version: make `round-N-v2` where `round-N` exists with other content.
        say: receives progress in words.
        world: this process among those of a launch; the others call `clincot.runs.rounds.distributed.join_training`.

    Returns:
        The adapter: its folder, tag, commit and lineage, and the numbers of the training run.

    Raises:
        RoundError: the round has no dataset, or another policy than this round's wrote it.
        TagExists: the round exists with other content, and no new version was asked for.
    """
    _prepare(run, round, say)
    from clincot.runs.results import RoundAdapter
    from clincot.runs.rounds.sft import train_start
    from clincot.runs.rounds.train import train_round

    if round == 0:
        return RoundAdapter(train_start(run, new_version=new_version, world=world), run)
    return RoundAdapter(train_round(run, round, new_version=new_version, world=world), run)


def evaluate(
    run: Run, last: int = 0, *, new_version: bool = False, say: Say = silent, executor: Executor | None = None
) -> RunResults:
    """Answer and score the benchmark with the base, the adapters of the rounds and image-free controls.

    Args:
        run: from `open_run`.
        last: the last round to evaluate; 0: all that exist.
        new_version: make `round-N-v2` where the results exist with other content.
        say: receives progress in words.
        executor: whose processes answer, from `clincot.executors.load`; None: this process.

    Returns:
        The results: every number with its interval under every protocol, every answer, and the files of the table.

    Raises:
        RoundError: a round up to `last` has no adapter.
        TagExists: the results exist with other content, and no new version was asked for.
    """
    _prepare(run, last, say)
    from clincot.runs.evaluation.evaluate import evaluate_rounds
    from clincot.runs.results import RunResults

    done = evaluate_rounds(run, last, new_version=new_version, executor=executor)
    return RunResults(done.release, run, done.evaluation)


def check_push(run: Run) -> None:
    """Ask the target Hub whether it would take a push of this run, before hours of work for it.

    Raises:
        HubError: no token, or one that may not write there.
        DataError: a public push of data that may not be passed on.
    """
    from clincot.runs.releases import pushing

    pushing.check_push(run)


def push(result: Made, *, say: Say = silent) -> Made:
    """Publish the result of a stage to its run's target Hub, under the same tag; its card is rendered there.

    Returns:
        The same result, with the commit on the target in `release.pushed`.

    Raises:
        HubError: no token, or one that may not write there.
        TagExists: the tag holds other content on the target.
        DataError: a public push of data that may not be passed on.
    """
    from clincot.runs.releases import pushing

    return replace(result, release=pushing.push(result.run, result.release, say))


def _prepare(run: Run, round_: int, say: Say) -> None:
    from clincot.runs.checks import check_round
    from clincot.runs.prepare import prepare

    check_round(run.recipe, round_)
    prepare(run, say)
