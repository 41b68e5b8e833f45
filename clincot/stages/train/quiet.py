"""Notes of the libraries -> silence while a block runs; their errors and the trainer's own lines stay."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import datasets


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the bars of `datasets` and warnings about names that TRL, not the user, has yet to change."""
    shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        if shown:
            datasets.enable_progress_bars()
