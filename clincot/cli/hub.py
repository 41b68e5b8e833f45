"""`clincot hub serve | env | ls | log | import | export`: an embedded Hub for other programs and for air-gapped use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from clincot.cli.console import Json, next_step, print_json, say
from clincot.cli.hub_checks import check_address, check_folder, check_import, check_local, check_repo, check_revision
from clincot.hub.names import PUBLIC

app = typer.Typer(help="Serve, inspect and fill an embedded Hub.", no_args_is_help=True, rich_markup_mode=None)
Folder = Annotated[Path, typer.Argument(help="Folder of the embedded Hub.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine.")]
Kind = Annotated[
    Literal["dataset", "model", "space", ""], typer.Option(help="Kind of the repo, where its name is not enough.")
]
Target = Annotated[str, typer.Option("--hub", help="Hub: local:PATH or a URL.")]
HUB = "local:./clincot-hub"
PORT = 8764


@app.command("serve")
def serve(
    path: Folder = Path("clincot-hub"),
    port: Port = PORT,
    host: Annotated[str, typer.Option(help="Address of this machine to listen at.")] = "127.0.0.1",
) -> None:
    """Serve the Hub at PATH to other programs until Ctrl-C."""
    from clincot.errors import HubError
    from clincot.hub.embedded import cannot_start
    from clincot.localhub import PortInUse, serve_forever

    def ready(hub: object) -> None:
        say(f"Hub {path} at {getattr(hub, 'endpoint', '')} (Ctrl-C stops it)")
        next_step(f'eval "$(clincot hub env {path} --port {port})"')

    check_address(host)
    try:
        serve_forever(path, host, port, on_ready=ready)
    except PortInUse as error:
        raise HubError(
            f"port {port}: is in use. Give another with --port, or stop the program that holds it."
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise cannot_start(path, error) from error


@app.command("env")
def env(
    path: Folder = Path("clincot-hub"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on which the Hub is served.")] = PORT,
) -> None:
    """Print what other programs must export to use the Hub at PATH served on PORT."""
    import shlex

    from clincot.errors import HubError
    from clincot.localhub import environment, write_token

    check_folder(path)
    if any(path.iterdir()) and not (path / "token").is_file():
        raise HubError(f"{path}: is no embedded Hub, it has no token. Start one there: clincot hub serve {path}")
    for name, value in environment(f"http://127.0.0.1:{port}", path.resolve(), write_token(path)).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command("ls")
def ls(path: Folder = Path("clincot-hub"), json_: Json = False) -> None:
    """List the repositories of the Hub at PATH with their tags."""
    from clincot.localhub import list_repos

    check_folder(path)
    if json_:
        return print_json(
            [
                {
                    "kind": repo.kind,
                    "repo": repo.id,
                    "commit": repo.sha,
                    "private": repo.private,
                    "tags": sorted(repo.tags),
                }
                for repo in list_repos(path)
            ]
        )
    typer.echo(f"{'kind':8}{'repository':44}{'commit':14}{'access':9}tags")
    for repo in list_repos(path):
        seen = "private" if repo.private else "public"
        typer.echo(f"{repo.kind:8}{repo.id:44}{(repo.sha or '')[:12]:14}{seen:9}{' '.join(sorted(repo.tags))}")


@app.command("log")
def log(
    path: Folder,
    repo: Annotated[str, typer.Argument(help="Repository, NAMESPACE/NAME.")],
    kind: Kind = "",
    json_: Json = False,
) -> None:
    """List the commits of a repository of the Hub at PATH, newest first, with their tags."""
    check_folder(path)
    check_repo(repo, "give NAMESPACE/NAME")
    from clincot.hub import connect

    with connect(f"local:{path}", main=False) as hub:
        from clincot.hub.history import history, kind_of

        entries = history(hub, kind_of(hub, repo, kind), repo)
    if json_:
        return print_json(
            [{"commit": e.sha, "made": e.made.isoformat(), "tags": list(e.tags), "title": e.title} for e in entries]
        )
    for entry in entries:
        typer.echo(f"{entry.sha[:12]}  {entry.made:%Y-%m-%d %H:%M}  {' '.join(entry.tags):24}{entry.title}")
    tag = next((entry.tags[0] for entry in entries if entry.tags), entries[0].sha[:12])
    next_step(f"clincot hub export {repo}@{tag} {repo.split('/')[-1]} --hub local:{path}")


@app.command("import")
def import_(
    what: Annotated[str, typer.Argument(metavar="REPO|FOLDER", help="Repository at --from, or a folder.")],
    hub: Target = HUB,
    name: Annotated[str, typer.Option("--as", help="NAMESPACE/NAME to give it; a repo keeps its own.")] = "",
    kind: Kind = "",
    tag: Annotated[str, typer.Option(help="Tag to set on the copy.")] = "",
    revision: Annotated[str, typer.Option(help="Branch, tag or commit of the repository.")] = "main",
    source: Annotated[str, typer.Option("--from", help="Hub to copy from: local:PATH or a URL.")] = PUBLIC,
) -> None:
    """Copy a repository of another Hub at one revision, or a folder, into the Hub --hub (for air-gapped use).

    Pickled weights (pytorch_model.bin) become safetensors where a model has no others.
    """
    folder = Path(what).expanduser()
    check_import(what, folder, name, revision, tag)
    from clincot.hub import connect
    from clincot.hub.connect import check_target

    check_target(hub)
    if folder.is_dir():
        with connect(hub, main=False) as target:
            from clincot.hub import imports

            say(f"importing the folder {folder} to {target.label} as {name}")
            copy = imports.Copy(target, kind or imports.kind_of_folder(folder), name, tag or None, _converted)
            done = imports.import_folder(folder, copy)
    else:
        check_local(source)
        with connect(source, main=False) as origin:
            from clincot.hub import imports
            from clincot.hub.history import kind_of

            pin = origin.resolve(kind_of(origin, what, kind), what, revision)
            with connect(hub, main=False) as target:
                say(f"importing {pin.kind} {pin} from {origin.label} to {target.label} as {name or what}")
                copy = imports.Copy(target, pin.kind, name or what, tag or None, _converted)
                done = imports.import_repo(origin, pin, copy)
    for path in done.skipped:
        say(f"left out {path}: a pickle can run code when it is loaded")
    say(f"imported {done.pin.kind} {done.pin}")
    where = hub.removeprefix("local:")
    next_step(f"clincot hub log {where} {done.pin.repo}" if where != hub else f"clincot run --hub {hub}")


def _converted(folder: Path, out: Path) -> tuple[str, ...]:
    """Write the model in `folder` to `out` with safetensors, and return the paths of the pickles that stay behind."""
    from clincot.convert.weights import convert

    say("converting pickled weights to safetensors; only tensors are unpickled")
    done = convert(folder, out)
    say(f"converted {done.tensors} tensors into {done.files} files, {done.bytes / 2**30:.2f} GiB")
    return done.left


@app.command("export")
def export(
    what: Annotated[str, typer.Argument(metavar="REPO@REV", help="Repository and its branch, tag or commit.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; it must be new or empty.")],
    hub: Target = HUB,
    kind: Kind = "",
) -> None:
    """Write a repository at one revision as a plain folder, and say how to load it."""
    from clincot.errors import HubError
    from clincot.hub import connect

    repo, _, revision = what.partition("@")
    if not revision:
        raise HubError(f"{what}: names no revision. Write REPO@REV, for instance {what}@main.")
    check_repo(repo, "write NAMESPACE/NAME@REV")
    check_revision(what, revision)
    check_local(hub)
    with connect(hub, main=False) as origin:
        from clincot.hub import exports
        from clincot.hub.history import kind_of

        pin = origin.resolve(kind_of(origin, repo, kind), repo, revision)
        paths = exports.export(origin, pin, folder)
    say(f"wrote {len(paths)} files of {pin.kind} {pin.repo} at {pin.sha} to {folder}")
    say("\nA folder has no versions; never give `revision` with it. Load it:\n")
    typer.echo(exports.how_to_load(pin, folder))
    next_step(f"clincot hub import {folder} --as {repo} --hub local:OTHER")
