"""Rows whose images are at URLs -> these images as files in the folder of the data, fetched once and within limits."""

from __future__ import annotations

import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

from clincot import images
from clincot.errors import DataError
from clincot.records.atomic import write_file

FOLDER = "fetched"  # below the folder of the data; files are called after the sha256 of their URL
WEB = ("http://", "https://")
BLOCK = 1 << 16


@dataclass(frozen=True)
class Limits:
    """How many images are fetched at most, of how many bytes each, within how many seconds each and all together."""

    count: int = 10_000
    size: int = 50_000_000
    seconds: float = 30.0
    together: float = 3600.0


def place_of(root: Path, url: str) -> Path:
    """Return where the image of a URL lies once it was fetched."""
    return root / FOLDER / sha256(url.encode()).hexdigest()[:32]


def hosts_of(urls: Iterable[str]) -> str:
    """Return how many images are at which host, the most first."""
    counts = Counter(urlsplit(url).hostname or "no host" for url in urls)
    return ", ".join(f"{host} ({count:,})" for host, count in counts.most_common())


def fetch(root: Path, urls: Sequence[str], limits: Limits, say: Callable[[str], None]) -> list[str]:
    """Fetch what is not there yet; return a line for each URL that gave no image.

    Raises DataError for more URLs than `limits.count`, for other schemes than http and https, and when the time for all
    is over: what was fetched stays.
    """
    wanted = [url for url in dict.fromkeys(urls) if not place_of(root, url).is_file()]
    odd = next((url for url in wanted if not url.startswith(WEB)), None)
    if odd is not None:
        raise DataError(f"{odd[:120]}: is neither http nor https. Put such images into the folder yourself.")
    if len(wanted) > limits.count:
        raise DataError(
            f"{len(wanted):,} images are to be fetched, more than {limits.count:,}. Allow it with --most N."
        )
    end, failed = time.monotonic() + limits.together, []
    for number, url in enumerate(wanted):
        if time.monotonic() > end:
            raise DataError(
                f"{number:,} of {len(wanted):,} images were fetched in {limits.together:g} seconds. Run it again."
            )
        try:
            data = _read(url, limits)
        except (URLError, OSError, ValueError) as error:
            failed.append(f"{url[:120]}: {_why(error)}")
            continue
        if images.grid_of(data) is None:
            failed.append(f"{url[:120]}: is no image")
        else:
            write_file(place_of(root, url), data)
    say(f"fetched {len(wanted) - len(failed):,} images into {root / FOLDER}")
    return failed


def _why(error: Exception) -> str:
    """Return what failed without the client's own words around it; an answer of a server keeps its code."""
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, OSError) else error
    return getattr(cause, "strerror", None) or str(cause)


def _read(url: str, limits: Limits) -> bytes:
    """Return the body of a URL. Raises ValueError for one that is too large or takes too long."""
    end, found = time.monotonic() + limits.seconds, bytearray()
    with urllib.request.urlopen(url, timeout=limits.seconds) as reply:
        if not reply.geturl().startswith(WEB):
            raise ValueError(f"it leads to {reply.geturl()[:120]}")
        while block := reply.read(BLOCK):
            found += block
            if len(found) > limits.size:
                raise ValueError(f"it has more than {limits.size:,} bytes")
            if time.monotonic() > end:
                raise ValueError(f"it takes more than {limits.seconds:g} seconds")
    return bytes(found)
