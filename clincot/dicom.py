"""The bytes of a DICOM file -> the picture its header asks for: rescaled, windowed, white bones on black."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from clincot.errors import UnreadableImage
from clincot.grey import stretched

GREY = {"MONOCHROME1", "MONOCHROME2"}  # 1: the lowest value is white
COLOUR = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}


def decode(data: bytes, name: str, most_pixels: int) -> Image.Image:
    """Decode to 8-bit RGB by pydicom (the extra `dicom`).

    Grey: modality LUT or rescale, the first window or VOI LUT where there is one, the range stretched to 0-255, and
    MONOCHROME1 inverted. Colour must be 8 bit. Raises UnreadableImage, also for more than `most_pixels` (told from the
    header), several frames, palettes and compressions without a decoder.
    """
    try:
        import pydicom
    except ImportError as error:
        advice = "Install `clincot[dicom]`, or convert it to a 16-bit PNG with white bones on black"
        raise UnreadableImage(f"{name}: is a DICOM file, and pydicom is not installed. {advice}.") from error
    try:
        header = pydicom.dcmread(io.BytesIO(data))
        _refuse_unfit(header, name, most_pixels)
        return _picture(header)
    except UnreadableImage:
        raise
    except Exception as error:  # pydicom's readers and decoders raise their own kinds, some of them plain Exception
        raise UnreadableImage(
            f"{name}: cannot be read as DICOM ({error}). Decompress, replace or remove it."
        ) from error


def _refuse_unfit(header: Any, name: str, most_pixels: int) -> None:
    if "PixelData" not in header:
        raise UnreadableImage(f"{name}: is a DICOM file without an image. Remove it.")
    size, frames = (int(header.Columns), int(header.Rows)), int(header.get("NumberOfFrames") or 1)
    if frames > 1:
        raise UnreadableImage(f"{name}: holds {frames} frames. Save the one that is meant as a picture of its own.")
    if size[0] * size[1] > most_pixels:
        raise UnreadableImage(f"{name}: {size[0]}x{size[1]} pixels are more than {most_pixels:,}. Downscale it.")
    kind = header.PhotometricInterpretation
    if kind not in GREY | COLOUR or (kind in COLOUR and header.BitsAllocated != 8):
        raise UnreadableImage(f"{name}: DICOM colours {kind}, {header.BitsAllocated} bit. Convert it to a PNG.")


def _picture(header: Any) -> Image.Image:
    from pydicom.pixels import apply_modality_lut, apply_voi_lut, pixel_array

    stored = pixel_array(header)  # YBR comes out as RGB
    if header.PhotometricInterpretation in COLOUR:
        return Image.fromarray(stored).convert("RGB")
    shown = apply_voi_lut(apply_modality_lut(stored, header), header)
    return stretched(shown, inverted=header.PhotometricInterpretation == "MONOCHROME1")
