"""`clincot judges check`: how well a model tells right answers from wrong ones, before it rates for hours."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clincot.benchmarks import BENCHMARKS
from clincot.cli.choices import SETTINGS, completing, listed
from clincot.cli.console import next_step, print_json, say
from clincot.judges import JUDGES, SERVED

if TYPE_CHECKING:
    from clincot.runs.judge_check import Checked, Way
    from clincot.runs.run import Run

HEAD = "scoring   context     AUC  95 %         mass unread  ties  digit    s/rating"
CHANCE = 0.5
app = typer.Typer(help="Check judges before they rate.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def judges() -> None:
    """Check judges before they rate."""


Repo = Annotated[
    str, typer.Argument(metavar="REPO", help="Folder, repository, `policy` (the setting's), or a served name.")
]
Kind = Annotated[str, typer.Option(help=f"Kind of judge; found out where none is given. {listed(JUDGES)}")]
Endpoint = Annotated[str, typer.Option(help="Server that answers for REPO: http://HOST:PORT/v1.")]
Scorings = Annotated[
    list[str] | None, typer.Option(help="expected, generated or yesno; all where none is given (repeatable).")
]
Contexts = Annotated[list[str] | None, typer.Option(help="reference or blind; both where none is given (repeatable).")]
Questions = Annotated[int, typer.Option(min=2, help="How many questions; each gives two ratings a way.")]
Split = Annotated[str, typer.Option(help="Split of the benchmark.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the questions and of the intervals.")]
Images = Annotated[bool, typer.Option("--images/--no-images", help="Show images to a judge that sees.")]
Findings = Annotated[
    bool, typer.Option("--findings", help="Statements about crops of known regions in place of answers.")
]
Revision = Annotated[str, typer.Option(help="Commit, tag or branch of REPO.")]
Setting = Annotated[
    str, typer.Option(help=f"Setting: Hub, benchmark, policy. {listed(SETTINGS)}", autocompletion=completing(SETTINGS))
]
BenchmarkName = Annotated[
    str,
    typer.Option(
        help=f"Benchmark instead of the setting's. {listed(BENCHMARKS)}", autocompletion=completing(BENCHMARKS)
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a value: --set 'build.judging.prefill=\"Rating: \"' (repeatable)."),
]
HubName = Annotated[str, typer.Option(help="Hub that has judge and benchmark: local:PATH or a URL.")]
Json = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]


@app.command("check")
def check(
    repo: Repo,
    kind: Kind = "",
    endpoint: Endpoint = "",
    scoring: Scorings = None,
    context: Contexts = None,
    questions: Questions = 60,
    split: Split = "test",
    seed: Seed = 0,
    images: Images = True,
    findings: Findings = False,
    revision: Revision = "main",
    setting: Setting = "phantom",
    benchmark: BenchmarkName = "",
    set: Overrides = None,
    hub: HubName = "",
    as_json: Json = False,
) -> None:
    """Rate right and wrong answers of a benchmark: AUC by scoring mode and context, with intervals, mass and ties."""
    _check_words(repo, kind, endpoint, scoring or [], context or [])
    with tempfile.TemporaryDirectory() as folder:
        run = _open(Path(folder), setting, benchmark, set or [], hub, split)
        from clincot.recipe.parts import SCORINGS
        from clincot.runs.judge_check import CONTEXTS, JudgeCheck, check_judge
        from clincot.runs.prepare import prepare

        prepare(run, say)
        ways = {"scorings": tuple(scoring or SCORINGS), "contexts": tuple(context or CONTEXTS)}
        asked = JudgeCheck(repo, kind, revision, endpoint, split, questions, seed, images, findings, **ways)
        done = check_judge(run, asked, say)
        run.store.close()
    _print(done, as_json)
    best = max(done.ways, key=_low)
    if as_json:
        return
    if _low(best) <= CHANCE:
        what = "findings" if findings else "answers"
        say(f"\nIn no way of asking does it rate right {what} surely higher. Try another prefill, or another judge.")
    else:
        next_step(
            f"clincot build-data --set build.judging.scoring={best.scoring} --set build.judging.context={best.context}"
        )


def _check_words(repo: str, kind: str, endpoint: str, scoring: list[str], context: list[str]) -> None:
    from clincot.errors import ClincotError, RecipeError
    from clincot.hub.names import is_url
    from clincot.recipe import choices
    from clincot.recipe.parts import SCORINGS

    if not repo.strip():
        raise ClincotError("judges check: REPO is empty. Give a folder, a repository or `policy`.")
    if kind:
        choices.check(JUDGES, kind, "--kind")
    if kind and (kind in SERVED) != bool(endpoint):
        raise RecipeError(f"--kind {kind}: --endpoint belongs to {' and '.join(sorted(SERVED))} alone. Correct one.")
    if endpoint and not is_url(endpoint):
        raise RecipeError(f"--endpoint: {endpoint!r} is not a URL. Write http://HOST:PORT/v1.")
    for word in scoring:
        choices.check(dict.fromkeys(SCORINGS, ""), word, "--scoring")
    for word in context:
        choices.check({"reference": "", "blind": ""}, word, "--context")


def _open(folder: Path, setting: str, benchmark: str, overrides: list[str], hub: str, split: str) -> Run:
    """Open a run that leaves nothing behind, for its recipe and its Hub."""
    from clincot.recipe import load_recipe
    from clincot.runs.checks import check_names, check_split
    from clincot.runs.run import open_run

    recipe = load_recipe("clincot", setting, benchmark=benchmark or None, overrides=overrides)
    check_names(recipe)
    check_split("--split", recipe.benchmark, split)
    return open_run(recipe, name="judges-check", hub=hub or None, namespace="local", folder=folder)


def _print(done: Checked, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        return print_json(asdict(done))
    asked = f"{done.questions} questions about {done.images} images, each with its gold and a wrong answer"
    if done.findings:
        asked = f"{done.questions} regions of {done.images} images, one of two shows what a finding names"
    typer.echo(f"{done.judge}\n{done.benchmark} {done.split}: {asked}\n")
    typer.echo(HEAD)
    for way in done.ways:
        typer.echo(_line(way))
    pair = (
        "the right finding of a region has more than the wrong"
        if done.findings
        else "a right answer has more than a wrong"
    )
    say(
        f"\nAUC: how often {pair} one; .5 is chance. ties: pairs within 0.05."
        "\nreference: the judge read the gold answer. docs/judges.md says how to choose."
    )


def _line(way: Way) -> str:
    head, found = f"{way.scoring:10}{way.context:10}", way.found
    if found is None:
        return head + way.fault
    if found.auc is None or found.interval is None:
        return f"{head}{'-':>5}  {'':11}{found.mass:6.3f}{found.failures:7.0%}"
    low, high = found.interval
    return (
        f"{head}{found.auc:5.2f}  {f'{low:.2f}-{high:.2f}':11}{found.mass:6.3f}{found.failures:7.0%}{found.ties:6.0%}"
        f"  {found.digit}: {found.share:3.0%} {way.seconds:10.4f}"
    )


def _low(way: Way) -> float:
    return way.found.interval[0] if way.found and way.found.interval else -1.0
