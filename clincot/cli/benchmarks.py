"""`clincot benchmarks list | questions | check | fetch | import`: what can be asked; data checked and got."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clincot.benchmarks import BENCHMARKS
from clincot.cli.choices import completing, listed
from clincot.cli.console import Json, next_step, print_json, say

if TYPE_CHECKING:
    from clincot.benchmarks.base import Source

app = typer.Typer(help="List benchmarks and import their releases.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def benchmarks(context: typer.Context) -> None:
    """List benchmarks and import their releases; without a command, list them."""
    if context.invoked_subcommand is None:
        list_benchmarks()


@app.command("list")
def list_benchmarks(json_: Json = False) -> None:
    """List the benchmarks: repository, licence, whether results may be public, questions by split, kind of image."""
    from dataclasses import asdict

    from clincot import benchmarks, protocols
    from clincot.report.terminal import stdout_width, table_lines

    if json_:
        return print_json([asdict(benchmarks.load(name).source) | {"name": name} for name in benchmarks.BENCHMARKS])
    lines = []
    for name in benchmarks.BENCHMARKS:
        source = benchmarks.load(name).source
        sizes = " / ".join(f"{size:,} {split}" for split, size in source.sizes.items()) or "as drawn"
        public = "public" if source.redistributable else "private"
        where = f"{source.repo}@{source.sha[:12] or source.revision}"
        languages = " ".join(source.languages)
        sizes += f" ({source.cut})" if source.cut else ""
        lines.append([name, where, source.licence, public, languages, source.modality, sizes])
    header = ["", "repository", "licence", "results", "language", "images", "questions"]
    typer.echo("\n".join(table_lines((header, lines), stdout_width())))
    say(
        f"Protocols (any benchmark): {', '.join(protocols.PROTOCOLS)}. A branch is resolved to a commit when it is"
        " pulled, which lineage and results name. private: images and reference texts stay out of every push."
    )


@app.command("questions")
def questions(
    benchmark: Annotated[
        str, typer.Argument(help=f"Benchmark. {listed(BENCHMARKS)}", autocompletion=completing(BENCHMARKS))
    ],
    split: Annotated[str, typer.Option(help="Split of the benchmark.")] = "test",
    hub: Annotated[str, typer.Option(help="Hub that has it: local:PATH or a URL.")] = "local:./clincot-hub",
    revision: Annotated[str, typer.Option(help="Commit, tag or branch instead of the benchmark's own commit.")] = "",
    out: Annotated[Path | None, typer.Option(help="New folder for questions.jsonl and the image files.")] = None,
) -> None:
    """Print the questions of a split (id, question, image file) as JSON lines, to be answered by any program."""
    from clincot.runs.checks import check_split

    check_split("--split", benchmark, split)
    from clincot.hub import connect

    target = connect(hub)
    from clincot.records import distinct_images
    from clincot.runs.evaluation.questions import question_lines, questions_of, write_questions

    asked = questions_of(target, benchmark, split, revision, say)
    if out is None:
        for line in question_lines(asked):
            typer.echo(line)
    else:
        path = write_questions(asked, out)
        say(f"wrote {path}: {len(asked)} questions about {len(distinct_images(asked))} images")
    next_step(f"clincot evaluate --predictions answers.jsonl --benchmark {benchmark} --hub {hub}")


@app.command("check")
def check_benchmark(
    data: Annotated[str, typer.Argument(metavar="DATA", help="Own data (a path, or a repository), or a benchmark.")],
    hub: Annotated[str, typer.Option(help="Hub that has it: local:PATH or a URL.")] = "local:./clincot-hub",
    revision: Annotated[str, typer.Option(help="Commit, tag or branch of what is on a Hub.")] = "",
    as_json: Json = False,
) -> None:
    """Look at every image and text of data before anything runs: what they hold, faults, what may name people."""
    import dataclasses

    from clincot.errors import DataError
    from clincot.progress import bar
    from clincot.records import distinct_images
    from clincot.runs.data_check.check import check_data
    from clincot.runs.data_check.held import read_held
    from clincot.runs.data_check.lines import lines_of

    held = read_held(data, hub, revision, say)
    for line in held.shown:
        say(line)
    images = len(distinct_images(e for examples in held.splits.values() for e in examples))
    with bar("images", images) as advance:
        checked = check_data(held, progress=advance)
    if as_json:
        print_json(dataclasses.asdict(checked))
    else:
        for line in lines_of(checked):
            typer.echo(line)
    if checked.faults:
        raise DataError(f"{data}: has faults, listed above. Correct the data, or what is declared of them.")
    next_step(f"clincot run --benchmark {data}")


@app.command("fetch")
def fetch_images(
    data: Annotated[str, typer.Argument(metavar="DATA", help="Own data: a folder, a file of rows or a clincot.yaml.")],
    allow_urls: Annotated[bool, typer.Option("--allow-urls", help="Fetch from the hosts that rows name.")] = False,
    most: Annotated[int, typer.Option(min=1, help="How many images at most.")] = 10_000,
    megabytes: Annotated[int, typer.Option(min=1, help="Of how many megabytes each.")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="Within how many seconds each.")] = 30.0,
    together: Annotated[float, typer.Option(min=1, help="Within how many seconds all.")] = 3600.0,
) -> None:
    """Fetch the images that rows of own data name by a URL, once, into the folder of the data."""
    from clincot import benchmarks
    from clincot.benchmarks.own import OwnData
    from clincot.benchmarks.own.fetching import Limits, fetch, hosts_of
    from clincot.errors import DataError

    benchmark = benchmarks.load(data)
    if not isinstance(benchmark, OwnData) or benchmark.folder is None:
        raise DataError(f"benchmarks fetch {data}: is no folder of own data. Give its path.")
    urls = benchmark.urls()
    if not allow_urls and urls:
        several = "s are" if len(urls) > 1 else " is"
        raise DataError(
            f"{data}: {len(urls):,} image{several} at {hosts_of(urls)}. Fetch with --allow-urls, if these hosts may see"
            " that you do."
        )
    failed = fetch(benchmark.folder, urls, Limits(most, megabytes * 1_000_000, seconds, together), say)
    if failed:
        named = "\n".join(f"  {line}" for line in failed[:10])
        raise DataError(
            f"{data}: {len(failed):,} of {len(urls):,} images could not be fetched:\n{named}"
            "\nCorrect the rows, or run it again."
        )
    next_step(f"clincot run --benchmark {data}")


@app.command("import")
def import_release(
    benchmark: Annotated[str, typer.Argument(help="Benchmark (vqa-rad, iu-xray, iu-xray-two-views).")],
    release: Annotated[Path, typer.Argument(help="Folder of the official release, or of a downloaded copy.")],
    hub: Annotated[str, typer.Option(help="Hub to publish to: local:PATH or a URL.")] = "local:./clincot-hub",
) -> None:
    """Publish an official release under the id, schema and rows of its public copy."""
    import tempfile

    from clincot import benchmarks
    from clincot.errors import ClincotError
    from clincot.hub import connect
    from clincot.hub.connect import check_target
    from clincot.recipe.choices import choose

    source = benchmarks.load(benchmark).source
    if benchmark not in benchmarks.IMPORTERS:
        raise ClincotError(
            f"benchmark {benchmark!r}: has no importer. Only {', '.join(benchmarks.IMPORTERS)} do; a folder laid"
            f" out as published goes onto a Hub with `clincot hub import FOLDER --as {source.repo}`."
        )
    check_target(hub)
    _check_target(source, hub)
    if not release.is_dir():
        raise ClincotError(f"{release}: no such folder. Give the folder of the release, or of a downloaded copy.")
    with tempfile.TemporaryDirectory() as folder:
        made = choose(benchmarks.IMPORTERS, benchmark, "importer")(release, Path(folder))
        target = connect(hub)
        say(f"publishing dataset {source.repo} to {target.label}: {made.note}")
        private = not source.redistributable
        message = "Import the official release"
        pin = target.publish("dataset", source.repo, made.files, tag=None, message=message, private=private)
    say(f"published {pin}")
    next_step(f"clincot run --benchmark {benchmark} --hub {hub}")


def _check_target(source: Source, hub: str) -> None:
    from clincot.errors import DataError

    if not source.redistributable and not hub.startswith("local:"):
        raise DataError(
            f"benchmark {source.name}: is under {source.licence}, which forbids passing it on, and {hub} is no embedded"
            " Hub. Use --hub local:PATH."
        )
