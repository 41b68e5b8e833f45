"""The stored values of a grey DICOM and its header -> how white every pixel is, and which pixels are padding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Window:
    """A window's centre and width in modality values, and its VOI LUT Function (PS3.3 C.11.2.1.2, C.11.2.1.3)."""

    centre: float
    width: float
    function: str

    def share(self, values: np.ndarray) -> np.ndarray:
        """Return where `values` lie in the window's output range: 0 its lowest, 1 its highest, float64.

        Raises ValueError for a function that DICOM does not know.
        """
        if self.function == "SIGMOID":
            # Beyond +-700, exp overflows float64, and the share is 0 or 1 to the last digit.
            return 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - self.centre) / self.width, -700.0, 700.0)))
        if self.function not in ("LINEAR", "LINEAR_EXACT"):
            raise ValueError(f"unknown VOI LUT Function {self.function!r}")
        # LINEAR has no meaning below a width of 1, which files with real-valued units have nonetheless.
        exact = self.function == "LINEAR_EXACT" or self.width < 1
        centre, width = (self.centre, self.width) if exact else (self.centre - 0.5, self.width - 1.0)
        if width == 0:
            return (values > centre).astype(np.float64)
        return np.clip((values - centre) / width + 0.5, 0.0, 1.0)


def window_of(header: Any) -> Window | None:
    """Return the first window whose two numbers can be used, None without one."""
    function = str(header.get("VOILUTFunction") or "LINEAR").strip().upper()
    for centre, width in zip(numbers(header, "WindowCenter"), numbers(header, "WindowWidth"), strict=False):
        if np.isfinite(centre) and np.isfinite(width) and width > 0:
            return Window(centre, width, function)
    return None


def shares_of(header: Any) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return the function from modality values to shares of white: the first VOI LUT, else the first window, or None.

    Shares are those of the output range: of a table's bits, of a window's ends. No value of the image decides them.
    """
    if header.get("VOILUTSequence"):
        item = header.VOILUTSequence[0]
        return lambda values: looked_up(values, item, header) / (2 ** int(item.LUTDescriptor[2]) - 1)
    window = window_of(header)
    return None if window is None else window.share


def modality_values(stored: np.ndarray, header: Any) -> np.ndarray:
    """Return `stored` after the modality LUT, else after slope and intercept; itself where they change nothing."""
    if header.get("ModalityLUTSequence"):
        return looked_up(stored, header.ModalityLUTSequence[0], header)
    slope, intercept = numbers(header, "RescaleSlope"), numbers(header, "RescaleIntercept")
    times, plus = (slope or [1.0])[0], (intercept or [0.0])[0]
    return stored if (times, plus) == (1.0, 0.0) else stored.astype(np.float64) * times + plus


def looked_up(values: np.ndarray, item: Any, header: Any) -> np.ndarray:
    """Return the table's entry for each of `values`; those outside of it have its first or its last (C.11.1.1)."""
    entries, first = int(item.LUTDescriptor[0]) or 2**16, int(item.LUTDescriptor[1])
    table = _table(item, entries, header)
    if first >= 2**15 and values.min() < 0:
        first -= 2**16  # -1024 is 64512 in files that give the descriptor as unsigned
    # Tables take integers; slopes make floats of them.
    places = np.round(values).astype(np.int64) - first
    return table[np.clip(places, 0, len(table) - 1)]


def _table(item: Any, entries: int, header: Any) -> np.ndarray:
    data = item.LUTData
    if isinstance(data, bytes):
        order = "<" if header.file_meta.TransferSyntaxUID.is_little_endian else ">"
        # Some files pack 8-bit entries in bytes, the standard has words.
        width = 2 if len(data) >= 2 * entries else 1
        data = np.frombuffer(data, f"{order}u{width}" if width > 1 else "u1")
    table = np.atleast_1d(np.asarray(data, np.int64))[:entries]
    if len(table) < entries:
        raise ValueError(f"a lookup table of {len(table)} instead of {entries} entries")
    return table


def padding(stored: np.ndarray, raw: Callable[[], np.ndarray], header: Any) -> np.ndarray | None:
    """Return which of the `stored` values are PixelPaddingValue, or between it and PixelPaddingRangeLimit: bool.

    None without a padding value. `raw` gives the words that hold the values: padding may need more than BitsStored.
    """
    value = _padding_value(header, "PixelPaddingValue")
    if value is None:
        return None
    other = _padding_value(header, "PixelPaddingRangeLimit")
    low, high = sorted((value, value if other is None else other))
    bits = int(header.BitsStored)
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if header.PixelRepresentation else (0, 2**bits - 1)
    inside = stored if least <= low and high <= most else raw()
    return (inside >= low) & (inside <= high)


def _padding_value(header: Any, name: str) -> int | None:
    """Return the value in the sign of the pixels, also where the file gives it in the other one (63536 for -2000)."""
    value = header.get(name)
    if value is None or value == "":
        return None
    whole = 2 ** int(header.BitsAllocated)
    word = int.from_bytes(value, "little") if isinstance(value, bytes) else int(value) % whole
    return word - whole if header.PixelRepresentation and word >= whole // 2 else word


def numbers(header: Any, name: str) -> list[float]:
    """Return the numbers of an element that has none, one or several, as far as they are not empty."""
    value = header.get(name)
    if value is None or value == "":
        return []
    several = value if isinstance(value, list | tuple) or hasattr(value, "insert") else [value]
    return [float(one) for one in several if one not in (None, "")]
