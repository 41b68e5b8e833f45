"""Arguments of a `clincot hub` command -> a HubError for those that cannot work, before anything is touched."""

from __future__ import annotations

import os.path
import socket
from pathlib import Path

from clincot.errors import HubError
from clincot.hub.names import LONGEST, repo_fault, revision_fault


def check_local(hub: str) -> None:
    """Refuse to read from an embedded Hub that does not exist: connecting would make an empty one."""
    scheme, _, path = hub.partition(":")
    if scheme == "local":
        check_folder(Path(path).expanduser())


def check_import(what: str, folder: Path, name: str, revision: str, tag: str) -> None:
    """Refuse what can be neither a folder nor a repository, before any Hub is asked."""
    if os.path.isdir(folder):
        if revision != "main" or not name:
            lacking = "a folder has no revisions: leave --revision out" if name else "give --as NAMESPACE/NAME"
            raise HubError(f"{what}: is a folder; {lacking}.")
    elif os.path.exists(folder):
        raise HubError(f"{what}: is a file, no folder and no repository. Give the folder that holds it.")
    else:
        check_repo(what, "check the path, or give NAMESPACE/NAME")
        check_revision("--revision", revision)
    if name:
        check_repo(name, "give --as NAMESPACE/NAME")
        if "/" not in name:
            raise HubError(f"--as {name}: has no namespace. Give --as NAMESPACE/NAME.")
    if tag:
        check_revision("--tag", tag)


def check_repo(repo: str, todo: str) -> None:
    fault = repo_fault(repo)
    if fault:
        raise HubError(f"{repo[:LONGEST]!r}: is no repo id and no folder, it {fault}; {todo}.")


def check_revision(where: str, revision: str) -> None:
    fault = revision_fault(revision)
    if fault:
        raise HubError(f"{where}: {revision[:LONGEST]!r} {fault}. Use letters, digits, '-', '_', '.' and '/'.")


def check_address(host: str) -> None:
    """Refuse an address that this machine does not have, before the Hub's folder is made."""
    todo = "Give 127.0.0.1 for this machine alone, or 0.0.0.0 for every network."
    if not host.strip():  # a socket would take it for every network of this machine
        raise HubError(f"--host: is empty. {todo}")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as trial:
            trial.bind((host, 0))
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise HubError(f"--host {host!r}: is no address of this machine ({why}). {todo}") from error


def check_folder(path: Path) -> None:
    if not os.path.isdir(path):
        what = "is a file" if os.path.exists(path) else "no such folder"
        raise HubError(f"{path}: {what}. Name the folder of an embedded Hub.")


def check_free(host: str, port: int) -> None:
    """Refuse a port on which something listens already, before anything is loaded."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, right after another has ended
        try:
            trial.bind((host, port))
        except OSError as error:
            raise HubError(f"--port {port}: cannot be used on {host} ({error.strerror}). Give another port.") from error
