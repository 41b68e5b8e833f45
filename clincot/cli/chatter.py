"""The libraries' bars, notes and warnings -> kept off the terminal; clincot's lines stay."""

from __future__ import annotations

import logging
import os
import re
import sys
import warnings
from typing import TextIO

# Read by the libraries when they are imported, and by every process that this one starts.
SILENT = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # transformers asks it too, for its bar of loaded weights
    "HF_HUB_VERBOSITY": "error",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "DATASETS_VERBOSITY": "error",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}
LOGGERS = ("accelerate", "peft", "trl")  # no environment variable is for these alone
# Without this one a run on an unusable GPU would be slow for no visible reason.
KEPT = re.compile(r"CUDA (initialization|capability)")


def hush() -> None:
    """Silence the libraries that are imported from now on; errors stay, and so does what the user has set.

    A variable of `SILENT` that is set keeps its value; with `-W` or PYTHONWARNINGS, warnings are shown as asked.
    """
    for name, value in SILENT.items():
        os.environ.setdefault(name, value)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    if not sys.warnoptions:
        warnings.showwarning = _show


def _show(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning of clincot itself as a plain line; drop those meant for the developers of a library.

    A filter could not do this: filters know where a warning was raised, not whose it is, and libraries reset them.
    """
    text = str(message)
    if category.__module__.partition(".")[0] == "clincot" or KEPT.search(text):
        from clincot.progress import notice

        notice(f"warning: {text}")
