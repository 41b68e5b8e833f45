"""DICOM bytes come out as a reader would see them, bones white, or are refused by name."""

from __future__ import annotations

import sys
import zlib

import numpy as np
import pytest

from clincot.errors import UnreadableImage
from clincot.images import decode
from clincot.images.dicom import decode as decode_dicom
from tests.dicoms import dicom

RAMP = np.arange(256, dtype=np.uint16).reshape(16, 16) * 100


def shades(data: bytes) -> np.ndarray:
    return np.asarray(decode(data, "study-1"))[..., 0]


def test_deep_values_are_stretched_and_monochrome1_is_turned():
    assert np.array_equal(shades(dicom(RAMP)), np.arange(256).reshape(16, 16))
    turned = dicom(RAMP, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(shades(turned), 255 - np.arange(256).reshape(16, 16))


def test_rescale_and_window_decide_what_is_seen():
    """A CT's lung and bone lie 1,000 HU apart: the window of the soft parts must cut both off."""
    stored = np.array([[0, 984], [1064, 3000]], np.int16)
    data = dicom(stored, RescaleSlope="1", RescaleIntercept="-1024", WindowCenter="0.5", WindowWidth="81")
    # (HU - (c - 0.5)) / (w - 1) + 0.5 (PS3.3 C.11.2.1.2): -40 -> 0, 40 -> 1
    assert shades(data).tolist() == [[0, 0], [255, 255]]
    middle = np.array([[0, 1024], [1044, 3000]], np.int16)
    data = dicom(middle, RescaleSlope="1", RescaleIntercept="-1024", WindowCenter="0.5", WindowWidth="81")
    assert shades(data).tolist() == [[0, pytest.approx(128, abs=1)], [pytest.approx(191, abs=1), 255]]


def test_colour_is_kept():
    pixels = np.array([[[200, 10, 20], [0, 90, 180]]], np.uint8)
    assert np.asarray(decode(dicom(pixels))).tolist() == pixels.tolist()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (dicom(RAMP, Rows=60_000, Columns=60_000), "60000x60000 pixels"),
        (dicom(RAMP, NumberOfFrames=7), "holds 7 frames"),
        (dicom(RAMP, PixelData=None), "without an image"),
        (dicom(RAMP, PhotometricInterpretation="PALETTE COLOR"), "PALETTE COLOR, 16 bit"),
        (dicom(RAMP)[:-100], "cannot be read as DICOM"),
        (dicom(RAMP)[:300], "study-1: "),
    ],
    ids=["bomb", "frames", "no image", "palette", "truncated", "header alone"],
)
def test_what_cannot_be_shown_is_refused_by_name(data: bytes, message: str):
    with pytest.raises(UnreadableImage, match=f"study-1: .*{message}" if message != "study-1: " else message):
        decode(data, "study-1")


def test_without_pydicom_the_advice_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(UnreadableImage, match=r"study-1: is a DICOM file.*Install `clincot\[dicom\]`"):
        decode(dicom(RAMP), "study-1")


def test_the_inverted_15_bit_chest_film_shows_dark_lungs_between_white_bones():
    """RG1_UNCR of pydicom-data: 1955 x 1841, MONOCHROME1; as stored, air is bright."""
    data = pytest.importorskip("pydicom.data").get_testdata_file("RG1_UNCR.dcm", download=False)
    if data is None:
        pytest.skip("pydicom-data is not installed")
    with open(data, "rb") as file:
        picture = np.asarray(decode(file.read(), "RG1"))[..., 0].astype(float)
    assert picture.shape == (1955, 1841)
    rows, columns = slice(600, 1100), picture.shape[1] // 2
    right_lung, middle = picture[rows, 380:640].mean(), picture[rows, columns - 80 : columns + 80].mean()
    assert middle - right_lung > 60, (right_lung, middle)


@pytest.mark.parametrize(("side", "refused"), [(40, False), (200, True)])
def test_a_deflated_file_is_not_inflated_beyond_the_largest_image(side: int, refused: bool) -> None:
    plain = dicom(np.zeros((side, side), np.uint16))
    start = 144 + int.from_bytes(plain[140:144], "little")
    meta = plain[:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    meta = meta.replace(b"UI\x14\x00" + b"1.2.840.10008.1.2.1.99", b"UI\x16\x00" + b"1.2.840.10008.1.2.1.99")
    meta = meta[:140] + (start - 144 + 2).to_bytes(4, "little") + meta[144:]
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = meta + deflater.compress(plain[start:]) + deflater.flush()
    if refused:
        with pytest.raises(UnreadableImage, match="when it is inflated"):
            decode_dicom(data, "film", 10_000)
    else:
        assert decode_dicom(data, "film", 10_000).size == (side, side)
