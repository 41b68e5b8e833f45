"""The bytes of a DICOM file -> the image its header asks for: windowed, white bones on black, pixels square."""

from __future__ import annotations

import io
import math
import zlib
from typing import Any

import numpy as np
from PIL import Image

from clincot.errors import UnreadableImage
from clincot.images import voi
from clincot.images.grey import shown, stretched
from clincot.images.square import Grid, square_grid

GREY = {"MONOCHROME1", "MONOCHROME2"}  # 1: the lowest value is white
COLOUR = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
# Height of a pixel, then its width; the first that is given counts. Only the first two are of the body, but the shape
# of a pixel is the same in all.
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
MACROS = ("PixelMeasuresSequence", "FrameVOILUTSequence", "PixelValueTransformationSequence")
DEFLATED = b"1.2.840.10008.1.2.1.99"  # a file whose header, too, is compressed
META_LENGTH = slice(140, 144)  # how many bytes of plain header follow
LARGEST_SAMPLES = 4  # bytes of a pixel
DISPLAY_BITS = 8  # values of so many bits are meant for a screen as they are


def decode(data: bytes, name: str, most_pixels: int) -> Image.Image:
    """Decode to 8-bit RGB of square pixels by pydicom (the extra `dicom`).

    Grey: modality LUT or rescale, then the output range of the first VOI LUT or window is black to white. Without one,
    8-bit values are shown as they are and deeper ones are stretched (`clincot.images.grey.span`). Padding is black, and
    MONOCHROME1 is inverted. Colour must be 8 bit. Raises UnreadableImage, also for more than `most_pixels` (found in
    the header), several frames, palettes and compressions without a decoder.
    """
    try:
        import pydicom
    except ImportError as error:
        advice = "Install `clincot[dicom]`, or convert it to a 16-bit PNG with white bones on black"
        raise UnreadableImage(f"{name}: is a DICOM file, and pydicom is not installed. {advice}.") from error
    try:
        _refuse_inflating(data, name, most_pixels)
        header = _flat(pydicom.dcmread(io.BytesIO(data)))
        _refuse_unfit(header, name, most_pixels)
        return _grid(header).image(_image(header))
    except UnreadableImage:
        raise
    except Exception as error:  # pydicom's readers and decoders raise their own kinds, some of them plain Exception
        raise UnreadableImage(
            f"{name}: cannot be read as DICOM ({error}). Decompress, replace or remove it."
        ) from error


def _refuse_inflating(data: bytes, name: str, most_pixels: int) -> None:
    """Refuse a deflated file that becomes too large, before pydicom inflates it whole."""
    start = META_LENGTH.stop + int.from_bytes(data[META_LENGTH], "little")
    if DEFLATED not in data[:start]:
        return
    inflater, most = zlib.decompressobj(-zlib.MAX_WBITS), LARGEST_SAMPLES * most_pixels
    inflater.decompress(data[start:], most)
    if inflater.unconsumed_tail:
        raise UnreadableImage(f"{name}: becomes more than {most:,} bytes when it is inflated. Downscale the image.")


def grid_of(data: bytes) -> Grid | None:
    """Return the grid of a DICOM file, from its header alone; None for a file that `decode` refuses in any case."""
    try:
        import pydicom

        return _grid(_flat(pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)))
    except Exception:  # as in `decode`, which then names the file and the reason
        return None


def _flat(header: Any) -> Any:
    """Return the header with what an enhanced file says of its one frame in nested groups, where it has none itself."""
    for group in (header[name][0] for name in GROUPS if header.get(name)):
        for macro in (group[name][0] for name in MACROS if group.get(name)):
            for element in macro:
                if element.tag not in header:
                    header[element.tag] = element
    return header


def _refuse_unfit(header: Any, name: str, most_pixels: int) -> None:
    if "PixelData" not in header:
        raise UnreadableImage(f"{name}: is a DICOM file without an image. Remove it.")
    frames = int(header.get("NumberOfFrames") or 1)
    if frames > 1:
        raise UnreadableImage(f"{name}: holds {frames} frames. Save the one that is meant as a separate image.")
    for width, height in (_stored(header), _grid(header).shown):
        if width * height > most_pixels:
            raise UnreadableImage(f"{name}: {width}x{height} pixels are more than {most_pixels:,}. Downscale it.")
    kind = header.PhotometricInterpretation
    if kind not in GREY | COLOUR or (kind in COLOUR and header.BitsAllocated != 8):
        raise UnreadableImage(f"{name}: DICOM colours {kind}, {header.BitsAllocated} bit. Convert it to a PNG.")


def _stored(header: Any) -> tuple[int, int]:
    return int(header.Columns), int(header.Rows)


def _grid(header: Any) -> Grid:
    for name in SPACINGS:
        sides = voi.numbers(header, name)
        if len(sides) == 2 and all(math.isfinite(side) and side > 0 for side in sides):
            return square_grid(_stored(header), *sides)
    return Grid(_stored(header), _stored(header))


def _image(header: Any) -> Image.Image:
    from pydicom.pixels import pixel_array

    stored = pixel_array(header)  # YBR comes out as RGB
    if header.PhotometricInterpretation in COLOUR:
        return Image.fromarray(stored).convert("RGB")
    padded = voi.padding(stored, lambda: pixel_array(header, correct_unused_bits=False), header)
    data = np.ones(stored.shape, bool) if padded is None else ~padded
    inverted = header.PhotometricInterpretation == "MONOCHROME1"
    values, share = voi.modality_values(stored, header), voi.shares_of(header)
    if share is not None:
        return shown(share(values), inverted=inverted, data=data)
    if values is stored and header.BitsStored <= DISPLAY_BITS and not header.PixelRepresentation:
        return shown(stored / (2**header.BitsStored - 1), inverted=inverted, data=data)
    return stretched(values, inverted=inverted, data=data)
