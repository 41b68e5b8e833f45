"""16-bit colours, and grey with alpha, show all their values: 12-bit ones are not black, full-range ones as before."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from clincot.errors import UnreadableImage
from clincot.images import decode

RAMP = np.tile(np.linspace(0, 4095, 64).astype(np.uint16), (48, 1))
GREYS = np.tile(np.round(np.linspace(0, 4095, 64).astype(np.uint16) / 4095 * 255), (48, 1))
FULL = np.random.default_rng(0).integers(0, 65_536, (48, 64, 3)).astype(np.uint16)
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # PNG: grey, grey and alpha, RGB, RGBA


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(channels: np.ndarray, *before: bytes) -> bytes:
    """A 16-bit PNG of `channels` (rows, columns, 1 to 4), with the chunks `before` its pixels."""
    height, width, count = channels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPES[count], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in channels)
    body = chunk(b"IHDR", header) + b"".join(before) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tiff(channels: np.ndarray, order: str = "<", **tags: int) -> bytes:
    """A TIFF of uint16 `channels` (rows, columns, 3 or 4) in one strip; `tags` by name overrule."""
    height, width, count = channels.shape
    known = {"planar": 284, "extra": 338, "orientation": 274}
    shorts = {256: [width], 257: [height], 258: [16] * count, 259: [1], 262: [2], 277: [count], 278: [height]}
    shorts |= {known[name]: [value] for name, value in tags.items()}
    data = channels.astype(f"{order}u2").tobytes()
    fields = [(tag, "H", 3, values) for tag, values in shorts.items()]
    fields += [(273, "I", 4, [8]), (279, "I", 4, [len(data)])]
    start, entries, behind = 8 + len(data), b"", b""
    for tag, letter, kind, values in sorted(fields):
        packed = struct.pack(f"{order}{len(values)}{letter}", *values)
        if len(packed) > 4:
            place = start + 2 + 12 * len(fields) + 4 + len(behind)
            behind, packed = behind + packed, struct.pack(f"{order}I", place)
        entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    mark = b"II*\0" if order == "<" else b"MM\0*"
    count_of = struct.pack(f"{order}H", len(fields))
    return mark + struct.pack(f"{order}I", start) + data + count_of + entries + bytes(4) + behind


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(decode(data, "film")).astype(int)


def stacked(grey: np.ndarray, channels: int, alpha: int | None = None) -> np.ndarray:
    parts = [grey] * channels + ([np.full_like(grey, alpha)] if alpha is not None else [])
    return np.stack(parts, -1)


TWELVE_BIT = {
    "grey": png(stacked(RAMP, 1)),
    "grey and alpha": png(stacked(RAMP, 1, 65_535)),
    "RGB": png(stacked(RAMP, 3)),
    "RGBA": png(stacked(RAMP, 3, 65_535)),
    "RGBA, alpha of 12 bits too": png(stacked(RAMP, 3, 4095)),
    "TIFF": tiff(stacked(RAMP, 3)),
    "TIFF, big-endian": tiff(stacked(RAMP, 3), ">"),
    "TIFF, RGBA": tiff(stacked(RAMP, 3, 65_535), extra=2),
    "TIFF, premultiplied": tiff(stacked(RAMP, 3, 65_535), extra=1),
    "TIFF, unused channel": tiff(stacked(RAMP, 3, 0), extra=0),
    "PPM": b"P6 64 48 65535\n" + stacked(RAMP, 3).astype(">u2").tobytes(),
}


@pytest.mark.parametrize("name", TWELVE_BIT)
def test_a_12_bit_ramp_spans_all_greys_in_every_form(name: str):
    assert abs(pixels(TWELVE_BIT[name]) - GREYS[..., None]).max() <= 1


@pytest.mark.parametrize("bits", [8, 10, 14])
def test_so_does_one_of_another_depth(bits: int):
    values = np.tile(np.linspace(0, 2**bits - 1, 64).astype(np.uint16), (48, 1))
    expected = np.round(values / (2**bits - 1) * 255)
    for data in (png(stacked(values, 3)), png(stacked(values, 1, 65_535)), tiff(stacked(values, 3))):
        assert abs(pixels(data) - expected[..., None]).max() <= 1


def test_a_hot_pixel_changes_nothing_else_in_any_form():
    hot = RAMP.copy()
    hot[5, 5] = 65_535
    for data in (png(stacked(hot, 1)), png(stacked(hot, 1, 65_535)), png(stacked(hot, 3)), tiff(stacked(hot, 3))):
        found = pixels(data)
        assert (found[5, 5] == 255).all()
        found[5, 5] = GREYS[5, 5]
        assert abs(found - GREYS[..., None]).max() <= 1


def test_12_bit_colours_keep_their_hue():
    colours = np.stack([RAMP, RAMP // 2, RAMP[:, ::-1] // 4], -1)
    for data in (png(colours), tiff(colours), tiff(colours, ">")):
        assert abs(pixels(data) - colours / 4095 * 255).max() <= 1


def test_full_range_colours_are_what_their_high_bytes_say():
    high = FULL.astype(int) >> 8
    for data in (png(FULL), tiff(FULL), tiff(FULL, ">"), cv2.imencode(".png", FULL[..., ::-1])[1].tobytes()):
        assert abs(pixels(data) - high).max() <= 1
    ramp = stacked(RAMP * 16, 3)
    assert abs(pixels(png(ramp)) - (ramp.astype(int) >> 8)).max() <= 1


def test_alpha_lays_the_colours_on_black():
    colours = np.stack([RAMP, RAMP // 2, RAMP[:, ::-1]], -1)
    alpha = np.full_like(RAMP, 65_535)
    alpha[10:20], alpha[20:] = 0, 32_768
    share = alpha.astype(float) / 65_535
    for data in (png(np.dstack([colours, alpha])), tiff(np.dstack([colours, alpha]), extra=2)):
        assert abs(pixels(data) - colours / 4095 * 255 * share[..., None]).max() <= 1
    assert abs(pixels(png(np.dstack([RAMP, alpha]))) - (RAMP / 4095 * 255 * share)[..., None]).max() <= 1


def test_what_is_transparent_does_not_move_the_greys():
    """White below alpha 0 is what many programs leave there."""
    matte, alpha = RAMP.copy(), np.full_like(RAMP, 65_535)
    matte[:20], alpha[:20] = 65_535, 0
    found = pixels(png(np.dstack([matte, alpha])))
    assert not found[:20].any()
    assert abs(found[20:] - GREYS[20:, :, None]).max() <= 1
    assert not pixels(png(stacked(RAMP, 1, 0))).any()


def test_a_colour_named_as_transparent_is_black():
    colours = np.stack([RAMP, RAMP, RAMP[:, ::-1]], -1)
    colours[:5] = 60_000, 50_000, 40_000
    found = pixels(png(colours, chunk(b"tRNS", struct.pack(">3H", 60_000, 50_000, 40_000))))
    assert not found[:5].any()
    assert abs(found[5:] - colours[5:] / 4095 * 255).max() <= 1
    grey = RAMP.copy()
    grey[:5] = 65_535
    found = pixels(png(grey[..., None], chunk(b"tRNS", struct.pack(">H", 65_535))))
    assert not found[:5].any()
    assert abs(found[5:] - GREYS[5:, :, None]).max() <= 1


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_deep_colours_are_turned_once(orientation: int):
    colours = np.zeros((16, 32, 3), np.uint16)
    colours[:8, :16] = 4095, 2000, 100
    exif = Image.Exif()
    exif[274] = orientation
    eight = Image.fromarray((colours / 4095 * 255).astype(np.uint8))
    buffer = io.BytesIO()
    eight.save(buffer, "PNG", exif=exif)
    expected = np.asarray(decode(buffer.getvalue())).astype(int)
    plain = png(colours, chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")))
    for data in (plain, tiff(colours, orientation=orientation), tiff(colours, ">", orientation=orientation)):
        found = pixels(data)
        assert found.shape == expected.shape
        assert abs(found - expected).max() <= 1


def test_channels_that_lie_apart_are_refused():
    with pytest.raises(UnreadableImage, match="film: .*planar"):
        decode(tiff(FULL, planar=2), "film")


def test_truncated_deep_files_are_refused_by_name():
    for data in (png(FULL), tiff(FULL)):
        with pytest.raises(UnreadableImage, match="film"):
            decode(data[: len(data) // 2], "film")


def test_8_bit_colours_are_never_stretched():
    faint = (FULL // 1024 + 100).astype(np.uint8)
    for kind in ("PNG", "TIFF", "PPM"):
        buffer = io.BytesIO()
        Image.fromarray(faint).save(buffer, kind)
        assert np.array_equal(pixels(buffer.getvalue()), faint)


@pytest.mark.parametrize("name", ["grey.png", "grey_alpha.png", "rgb.png", "hot_pixel.png", "signed16.tif"])
def test_the_ramp_of_the_case(shared_data: Path, name: str):
    file = shared_data.parent / "cases/deep-colour-png-black" / name
    if not file.is_file():
        pytest.skip(f"no {file}")
    found = pixels(file.read_bytes())
    assert abs(np.delete(found[0, :, 0], 0) - np.delete(GREYS[0], 0)).max() <= 2
    assert (found[1] == found[2]).all()
