"""The tests' own environment -> `.venv/pages`: the same packages, Playwright for Python, and axe-core from npm.

The browser is Debian's `chromium`: Playwright's own would be downloaded from elsewhere.
"""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

from tests import layered

FOLDER = layered.VENV / "pages"
PACKAGES = ("playwright==1.65.2", "pyee==13.0.1", "greenlet==3.5.6")
AXE = "axe-core@4.14.1"
SCRIPT = FOLDER / "axe.min.js"


def fetch_axe(own: Path) -> None:
    """Take axe-core out of its npm package."""
    subprocess.run(["npm", "pack", "--silent", AXE], check=True, cwd=FOLDER, stdout=subprocess.DEVNULL)
    with tarfile.open(next(FOLDER.glob("axe-core-*.tgz"))) as packed:
        member = packed.extractfile("package/axe.min.js")
        assert member is not None
        SCRIPT.write_bytes(member.read())


if __name__ == "__main__":
    layered.make(FOLDER, PACKAGES, programs=["chromium", "npm"], more=[AXE], finish=fetch_axe)
