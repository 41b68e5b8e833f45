"""The tests' own environment -> `.venv/app`: the same packages, Gradio with what it needs, and Playwright for Python.

Gradio takes no Pillow 13 and no tomlkit 0.15, which the project's tests run with: here are the newest that it takes.
The browser is Debian's `chromium`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".venv" / "app"
PYTHON = FOLDER / "bin" / "python"
# Dependencies are named, never resolved: pip would take what the parent has a second time.
PACKAGES = (
    *("gradio==6.31.0", "gradio_client==2.7.2", "hf-gradio==0.4.1", "groovy==0.1.2", "safehttpx==0.1.7"),
    *("fastapi==0.165.0", "httpx==0.28.1", "httpcore==1.0.9", "orjson==3.13.0", "python-multipart==0.0.34"),
    *("opentelemetry-api==1.45.2", "brotli==1.2.1", "pydub==0.25.1", "pytz==2026.6", "semantic-version==2.10.0"),
    *("pillow==12.3.0", "tomlkit==0.14.0"),
    *("playwright==1.65.2", "pyee==13.0.1", "greenlet==3.5.6"),
)


def make() -> None:
    """Make the environment, once for each list of packages."""
    wanted = "\n".join([*PACKAGES, sysconfig.get_path("purelib")])
    ready = FOLDER / ".ready"
    if ready.is_file() and ready.read_text() == wanted:
        return
    if shutil.which("chromium") is None:
        sys.exit("chromium: is not installed. Run `apt-get install chromium`.")
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
    ready.write_text(wanted)


if __name__ == "__main__":
    make()
