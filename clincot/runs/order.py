"""A run -> an order that another process, perhaps on another machine, opens as the same run."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from clincot.errors import RoundError

if TYPE_CHECKING:
    from clincot.runs.run import Run

TOKEN = "shared-folder"  # a file of the run's folder that shows whether another process sees the same folder
PATIENCE = 30.0  # seconds until a file must be seen on another machine


@dataclass(frozen=True)
class RunOrder:
    """What opens a run elsewhere: its resolved recipe and where it works. `token` is in its folder, `version` ours."""

    recipe: str
    name: str
    hub: str
    namespace: str
    folder: str
    where: str
    token: str
    version: str

    @classmethod
    def of(cls, run: Run) -> RunOrder:
        """Describe an open run, and leave the token in its folder."""
        from clincot import __version__
        from clincot.records.atomic import write_file

        token = token_hex(8)
        write_file(run.folder / TOKEN, token)
        hub = run.target.label
        if hub.startswith("local:"):
            hub = f"local:{Path(hub.removeprefix('local:')).absolute()}"
        runs = str(run.folder.parent.absolute())
        return cls(run.recipe.to_yaml(), run.name, hub, run.namespace, runs, os.getcwd(), token, __version__)

    def open(self) -> Run:
        """Open the run in this process. Raises RoundError where its folder or the package is another one.

        Call it before Hub clients are imported: they read once which Hub to use.
        """
        self._check()
        from clincot.recipe import recipe_from_yaml
        from clincot.runs.run import open_run

        os.chdir(self.where)  # what the recipe names by a relative path is found
        recipe = recipe_from_yaml(self.recipe, f"run {self.name}")
        return open_run(recipe, name=self.name, hub=self.hub, namespace=self.namespace, folder=Path(self.folder))

    def _check(self) -> None:
        from clincot import __version__

        here = f"node {socket.gethostname()}"
        if __version__ != self.version:
            raise RoundError(
                f"{here}: has clincot {__version__}, the command has {self.version}. Install the same version on every"
                " machine."
            )
        path = Path(self.folder) / self.name / TOKEN
        end = time.monotonic() + PATIENCE
        while not (path.is_file() and path.read_text(encoding="utf-8") == self.token and Path(self.where).is_dir()):
            if time.monotonic() > end:
                raise RoundError(
                    f"{here}: does not see the run's folder {path.parent} of the machine that gave the command."
                    " Start in a folder that all machines share, under the same path."
                )
            time.sleep(0.5)
