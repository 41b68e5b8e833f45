"""`clincot hub serve | env | ls`: an embedded Hub for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clincot.cli.talk import next_step, say

app = typer.Typer(help="Serve and inspect an embedded Hub.", no_args_is_help=True, rich_markup_mode=None)
Folder = Annotated[Path, typer.Argument(help="Folder of the embedded Hub.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine.")]
PORT = 8764


@app.command("serve")
def serve(path: Folder = Path("clincot-hub"), port: Port = PORT, host: str = "127.0.0.1") -> None:
    """Serve the Hub at PATH to other programs until Ctrl-C."""
    from clincot.errors import HubError
    from clincot.localhub import PortInUse, serve_forever

    def ready(hub: object) -> None:
        say(f"Hub {path} at {getattr(hub, 'endpoint', '')} (Ctrl-C stops it)")
        next_step(f'eval "$(clincot hub env {path} --port {port})"')

    try:
        serve_forever(path, host, port, on_ready=ready)
    except PortInUse as error:
        raise HubError(
            f"port {port}: is in use. Give another with --port, or stop the program that holds it."
        ) from error


@app.command("env")
def env(path: Folder = Path("clincot-hub"), port: Port = PORT) -> None:
    """Print what other programs must export to use the Hub at PATH served on PORT."""
    import shlex

    from clincot.localhub import environment, write_token

    for name, value in environment(f"http://127.0.0.1:{port}", path.resolve(), write_token(path)).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command("ls")
def ls(path: Folder = Path("clincot-hub")) -> None:
    """List the repositories of the Hub at PATH with their tags."""
    from clincot.errors import HubError
    from clincot.localhub import list_repos

    if not path.is_dir():
        raise HubError(f"{path}: no such folder. Name the folder of an embedded Hub.")
    for repo in list_repos(path):
        seen = "private" if repo.private else "public"
        typer.echo(f"{repo.kind:8}{repo.id:44}{(repo.sha or '')[:12]:14}{seen:9}{' '.join(sorted(repo.tags))}")
