"""Images of any mode and depth come out as upright 8-bit RGB or are refused by name."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from clincot.errors import UnreadableImage
from clincot.images import decode, encode_png
from clincot.images.views import encode


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def shades(data: bytes) -> np.ndarray:
    """The decoded red channel; equal channels are checked on the way."""
    pixels = np.asarray(decode(data))
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert decode(encoded(Image.new(mode, (7, 5)), kind)).mode == "RGB"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000", "PPM"])
def test_every_common_format_is_read(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = Image.linear_gradient("L").resize((32, 32))
    assert abs(shades(encoded(picture, kind, **options)).astype(int) - np.asarray(picture)).max() <= 2


RAMP = np.linspace(20_000, 30_000, 256, dtype=np.uint16).reshape(16, 16)
STRETCHED = np.round((RAMP.astype(float) - 20_000) / 10_000 * 255)


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.fromarray(RAMP)),
        encoded(Image.fromarray(RAMP), "TIFF"),
        encoded(Image.frombytes("I;16B", (16, 16), RAMP.astype(">u2").tobytes()), "TIFF"),
        encoded(Image.fromarray(RAMP.astype(np.int32) - 40_000), "TIFF"),
        encoded(Image.fromarray(RAMP.astype(np.float32) / 7), "TIFF"),
    ],
    ids=["png 16", "tiff 16", "tiff 16 big-endian", "tiff signed 32", "tiff float"],
)
def test_deep_images_keep_their_contrast(data: bytes) -> None:
    assert abs(shades(data) - STRETCHED).max() <= 1


def test_a_deep_tiff_that_stores_white_as_zero_is_turned() -> None:
    inverted = tiff16(RAMP, photometric=0)
    assert abs(shades(inverted) - (255 - STRETCHED)).max() <= 1
    assert abs(shades(tiff16(RAMP, photometric=1)) - STRETCHED).max() <= 1


def tiff16(values: np.ndarray, photometric: int) -> bytes:
    """A 16-bit TIFF with its tag 262 rewritten (an entry is tag, type, count, value: SHORT, one)."""
    before = struct.pack("<HHIH", 262, 3, 1, 1)
    data = encoded(Image.fromarray(values), "TIFF")
    assert data.count(before) == 1
    return data.replace(before, struct.pack("<HHIH", 262, 3, 1, photometric))


def test_values_that_are_no_number_are_black_and_do_not_move_the_others() -> None:
    values = np.array([[0.0, 1.0, 2.0], [np.nan, np.inf, -np.inf]], np.float32)
    assert shades(encoded(Image.fromarray(values), "TIFF")).tolist() == [[0, 128, 255], [0, 0, 0]]
    nowhere = np.full((2, 3), np.nan, np.float32)
    assert not shades(encoded(Image.fromarray(nowhere), "TIFF")).any()
    assert not shades(encoded(Image.fromarray(np.full((4, 4), 900, np.uint16)))).any()


def test_a_one_bit_image_is_black_and_white() -> None:
    squares = np.indices((8, 8)).sum(0) % 2 == 0
    assert np.array_equal(shades(encoded(Image.fromarray(squares))), squares * 255)


def test_palettes_show_their_colours_and_transparent_ones_lie_on_black() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([200, 10, 20, 0, 90, 180])
    picture.putpixel((1, 0), 1)
    assert np.asarray(decode(encoded(picture))).tolist() == [[[200, 10, 20], [0, 90, 180]]]
    clear = decode(encoded(picture, transparency=0))
    assert np.asarray(clear).tolist() == [[[0, 0, 0], [0, 90, 180]]]


def test_alpha_is_laid_on_black() -> None:
    pixels = np.array([[[200, 100, 50, 255], [200, 100, 50, 0]]], np.uint8)
    assert np.asarray(decode(encoded(Image.fromarray(pixels)))).tolist() == [[[200, 100, 50], [0, 0, 0]]]
    grey = np.array([[[120, 255], [120, 0]]], np.uint8)
    assert shades(encoded(Image.fromarray(grey))).tolist() == [[120, 0]]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_right_way_round_also_as_adobe_inverts_it(kind: str) -> None:
    ink = np.zeros((16, 32, 4), np.uint8)
    ink[:, 16:, 3] = 255  # no ink on the left, black on the right
    data = encoded(Image.fromarray(ink, "CMYK"), kind)
    assert (b"Adobe" in data) == (kind == "JPEG")  # libjpeg marks it, and such a file holds inverted values
    found = shades(data)
    assert found[:, :12].min() > 250
    assert found[:, 20:].max() < 5


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(("orientation", "corner"), [(3, (1, 1)), (6, (0, 1)), (8, (1, 0))])
def test_the_camera_s_rotation_is_applied_once(kind: str, orientation: int, corner: tuple[int, int]) -> None:
    """`corner` (row, column): where the stored upper left belongs: 3 turns by 180 degrees, 6 and 8 by 90."""
    pixels = np.zeros((16, 32), np.uint8)
    pixels[:8, :16] = 255  # the stored upper left is white
    exif = Image.Exif()
    exif[274] = orientation
    picture = np.asarray(decode(encoded(Image.fromarray(pixels), kind, exif=exif)).convert("L"))
    assert picture.shape == ((16, 32) if orientation == 3 else (32, 16))
    rows, columns = picture.shape[0] // 2, picture.shape[1] // 2
    upper, left = corner[0] * rows, corner[1] * columns
    assert picture[upper : upper + rows, left : left + columns].min() > 240
    assert (picture > 128).mean() == pytest.approx(0.25, abs=0.02)


def test_one_pixel_and_the_largest_films_are_read() -> None:
    assert decode(encoded(Image.new("L", (1, 1), 77))).getpixel((0, 0)) == (77, 77, 77)
    assert decode(encoded(Image.new("1", (8000, 8000)), compress_level=1)).size == (8000, 8000)


def test_what_is_no_image_is_refused_by_name() -> None:
    for data in (b"", b"not an image", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"):
        with pytest.raises(UnreadableImage, match="study-7: cannot be read"):
            decode(data, "study-7")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000", "PPM"])
def test_truncated_files_are_refused_by_name(kind: str) -> None:
    whole = encoded(Image.effect_noise((64, 64), 20), kind)
    with pytest.raises(UnreadableImage, match="study-8"):
        decode(whole[: len(whole) // 2], "study-8")


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    chunks = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [9_500, 13_000, 60_000])
def test_bombs_are_refused_before_they_are_decoded(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("was decoded"))
    with pytest.raises(UnreadableImage, match="bomb"):
        decode(png_claiming(side, side), "bomb")


def test_several_frames_are_refused_since_nobody_said_which() -> None:
    frames = [Image.new("L", (8, 8), shade) for shade in (10, 200)]
    for kind in ("GIF", "TIFF", "PNG", "WEBP"):
        with pytest.raises(UnreadableImage, match="cine: holds 2 frames. Save the one"):
            decode(encoded(frames[0], kind, save_all=True, append_images=frames[1:]), "cine")
    camera = encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert abs(shades(camera).astype(int) - 10).max() <= 1  # what follows in a camera's file are previews


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_bytes_are_read_or_refused_and_nothing_else(kind: str) -> None:
    rng = np.random.default_rng(0)
    whole = encoded(Image.effect_noise((40, 30), 50), kind)
    outcomes = {"read": 0, "refused": 0}
    started = time.process_time()
    for _ in range(120):
        data = bytearray(whole)
        for place in rng.integers(0, min(len(data), 200), rng.integers(1, 6)):
            data[place] = rng.integers(0, 256)
        try:
            assert decode(bytes(data)).mode == "RGB"
            outcomes["read"] += 1
        except UnreadableImage:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 0, outcomes
    assert time.process_time() - started < 20


def test_grey_crops_are_stored_in_one_channel_and_keep_every_pixel() -> None:
    picture = Image.effect_noise((40, 30), 50).convert("RGB")
    crop = decode(encode(picture.crop((5, 6, 25, 20))))
    assert Image.open(io.BytesIO(encode(picture.crop((5, 6, 25, 20))))).mode == "L"
    assert crop.tobytes() == picture.crop((5, 6, 25, 20)).tobytes()
    assert encode_png(crop) == encode_png(crop)
