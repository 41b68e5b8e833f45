"""The tests' own environment -> `.venv/pages`: the same packages, Playwright for Python, and axe-core from npm.

The browser is Debian's `chromium`: Playwright's own would be downloaded from elsewhere.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".venv" / "pages"
PYTHON = FOLDER / "bin" / "python"
PACKAGES = ("playwright==1.65.2", "pyee==13.0.1", "greenlet==3.5.6")  # dependencies are named, never resolved
AXE = "axe-core@4.14.1"
SCRIPT = FOLDER / "axe.min.js"


def make() -> None:
    """Make the environment, once for each list of packages."""
    wanted = "\n".join([*PACKAGES, AXE, sysconfig.get_path("purelib")])
    ready = FOLDER / ".ready"
    if ready.is_file() and ready.read_text() == wanted:
        return
    for program, package in (("chromium", "chromium"), ("npm", "npm")):
        if shutil.which(program) is None:
            sys.exit(f"{program}: is not installed. Run `apt-get install {package}`.")
    shutil.rmtree(FOLDER, ignore_errors=True)
    venv.create(FOLDER, with_pip=True)
    done = subprocess.run(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    # addsitedir, not the bare path: the checkout itself is named by a .pth file in the parent.
    parent = sysconfig.get_path("purelib")
    (Path(done.stdout.strip()) / "parent.pth").write_text(f"import site; site.addsitedir({parent!r})\n")
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", *PACKAGES], check=True)
    subprocess.run(["npm", "pack", "--silent", AXE], check=True, cwd=FOLDER, stdout=subprocess.DEVNULL)
    with tarfile.open(next(FOLDER.glob("axe-core-*.tgz"))) as packed:
        member = packed.extractfile("package/axe.min.js")
        assert member is not None
        SCRIPT.write_bytes(member.read())
    ready.write_text(wanted)


if __name__ == "__main__":
    make()
