"""`clincot benchmarks list | import`: what can be evaluated; a release put on a Hub as its public copy is laid out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clincot.cli.talk import next_step, say

app = typer.Typer(help="List benchmarks and import their releases.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_benchmarks() -> None:
    """List the benchmarks with their repository and licence."""
    from clincot import benchmarks

    for name in benchmarks.BENCHMARKS:
        source = benchmarks.load(name).source
        typer.echo(f"{name:10}{source.repo:32}{source.licence:18}{source.modality}")


@app.command("import")
def import_release(
    benchmark: Annotated[str, typer.Argument(help="Benchmark (vqa-rad).")],
    release: Annotated[Path, typer.Argument(help="Folder of the official release.")],
    hub: Annotated[str, typer.Option(help="Hub to publish to: local:PATH or a URL.")] = "local:./clincot-hub",
) -> None:
    """Publish an official release under the id, schema and rows of its public copy."""
    import tempfile

    from clincot import benchmarks
    from clincot.benchmarks.vqa_rad_release import vqa_rad_files
    from clincot.errors import ClincotError
    from clincot.hub import connect

    if benchmark != "vqa-rad":
        raise ClincotError(f"benchmark {benchmark!r}: has no importer. Only vqa-rad does.")
    target = connect(hub)
    repo = benchmarks.load(benchmark).source.repo
    with tempfile.TemporaryDirectory() as folder:
        files = vqa_rad_files(release, Path(folder))
        say(f"publishing dataset {repo} to {target.label}")
        pin = target.publish("dataset", repo, files, tag=None, message="Import the official release", private=False)
    say(f"published {pin}")
    next_step(f"clincot run --benchmark vqa-rad --hub {hub}")
