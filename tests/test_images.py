"""Images of any mode come out as upright 8-bit RGB or are refused by name."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from clincot.errors import UnreadableImage
from clincot.images import crop_png, decode, encode_png
from clincot.records import Box


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert decode(encoded(Image.new(mode, (7, 5)), kind)).mode == "RGB"


def test_sixteen_bits_keep_their_contrast() -> None:
    ramp = np.linspace(20_000, 30_000, 256, dtype=np.uint16).reshape(16, 16)
    picture = np.asarray(decode(encoded(Image.fromarray(ramp))))[..., 0]
    assert picture.min() == 0 and picture.max() == 255 and len(np.unique(picture)) > 200


def test_the_camera_s_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[274] = 6
    assert decode(encoded(Image.new("RGB", (8, 4)), "JPEG", exif=exif)).size == (4, 8)


def test_what_is_no_image_is_refused_by_name() -> None:
    with pytest.raises(UnreadableImage, match="study-7: cannot be read"):
        decode(b"not an image", "study-7")
    whole = encoded(Image.effect_noise((64, 64), 20), "JPEG")
    with pytest.raises(UnreadableImage, match="study-8"):
        decode(whole[: len(whole) // 2], "study-8")


def test_bombs_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(UnreadableImage):
        decode(encoded(Image.new("1", (20_000, 20_000))), "bomb")


def test_grey_crops_are_stored_in_one_channel_and_keep_every_pixel() -> None:
    picture = Image.effect_noise((40, 30), 50).convert("RGB")
    crop = decode(crop_png(picture, Box(5, 6, 25, 20)))
    assert Image.open(io.BytesIO(crop_png(picture, Box(5, 6, 25, 20)))).mode == "L"
    assert crop.tobytes() == picture.crop((5, 6, 25, 20)).tobytes()
    assert encode_png(crop) == encode_png(crop)
