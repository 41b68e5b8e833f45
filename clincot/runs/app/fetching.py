"""Gradio's functions that fetch an address for a caller -> refused while the page is open: it takes uploaded bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from clincot.errors import DataError


@contextmanager
def refused(gradio: Any) -> Iterator[None]:
    """Let no call make this server ask another one while the context is open.

    A hand-made call may name an address where an uploaded file is expected, in any field, and Gradio would fetch it.
    """
    held = gradio.processing_utils
    names = ("async_ssrf_protected_get", "async_ssrf_protected_download")
    before = {name: getattr(held, name) for name in names}
    for name in names:
        setattr(held, name, _refuse)
    try:
        yield
    finally:
        for name, fetch in before.items():
            setattr(held, name, fetch)


async def _refuse(url: str, *_: Any, **__: Any) -> NoReturn:
    raise DataError("image: is an address. Upload the file itself.")
