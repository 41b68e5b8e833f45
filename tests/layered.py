"""Some packages -> an environment of the tests' own, laid over the one that runs: its packages, and these before them.

Dependencies are named, never resolved: pip would take what the parent has a second time.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

VENV = Path(__file__).parents[1] / ".venv"


def make(
    folder: Path,
    packages: Sequence[str],
    *,
    programs: Sequence[str] = (),
    more: Sequence[str] = (),
    finish: Callable[[Path], None] = lambda own: None,
) -> None:
    """Make the environment in `folder`, once for each list of packages and of what `finish` brings (`more`).

    `programs` are Debian packages and their programs, which must be there; `finish` gets the folder of the packages.
    """
    parent = sysconfig.get_path("purelib")
    wanted, ready = "\n".join([*packages, *more, parent]), folder / ".ready"
    if ready.is_file() and ready.read_text() == wanted:
        return
    for program in programs:
        if shutil.which(program) is None:
            sys.exit(f"{program}: is not installed. Run `apt-get install {program}`.")
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    python, code = folder / "bin" / "python", "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    own = Path(done.stdout.strip())
    # addsitedir, not the bare path: the checkout itself is named by a .pth file in the parent.
    (own / "parent.pth").write_text(f"import site; site.addsitedir({parent!r})\n")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", *packages], check=True)
    finish(own)
    ready.write_text(wanted)
