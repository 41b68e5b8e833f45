"""Views of images: values that draw the same pixels again, each decoded, drawn and encoded once for a group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from clincot import images
from clincot.images import corruptions, views
from clincot.images.crops import mask_of
from clincot.images.views import Gallery, encode, kept, pixel_cache, render
from clincot.records import Box, Example, Region, View

PIXELS = np.random.default_rng(3).integers(0, 255, (40, 60, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)
WHOLE = View("image")


def region(box: Box, *, masked: bool = False) -> Region:
    inside = np.zeros((40, 60), bool)
    inside[box.upper + 1 : box.lower, box.left : box.right - 1] = True
    return Region("nodule", box, 0.5, mask_of(PICTURE, inside, box) if masked else None)


def asked(name: str, image_id: str = "one", data: bytes | None = None) -> Example:
    shown = images.encode_png(PICTURE) if data is None else data
    return Example(name, image_id, shown, "Is it?", "yes", "closed", "kind", "ct", "yes")


class Counts:
    """How often images are decoded, drawn and encoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.of: dict[str, int] = {"decode": 0, "render": 0, "encode": 0}
        for module, name in ((images, "decode"), (views, "render"), (views, "encode")):
            monkeypatch.setattr(module, name, self._counted(name, getattr(module, name)))

    def _counted(self, name, function):  # type: ignore[no-untyped-def]
        def counted(*arguments, **options):  # type: ignore[no-untyped-def]
            self.of[name] += arguments[1:] != ("mask",)  # a mask is a few bytes
            return function(*arguments, **options)

        return counted


def test_a_whole_image_is_the_image_and_a_crop_its_box() -> None:
    box = Box(5, 6, 30, 20)
    assert render(PICTURE, WHOLE) is PICTURE
    assert np.array_equal(np.asarray(render(PICTURE, View("crop", region(box)))), PIXELS[6:20, 5:30])


@pytest.mark.parametrize("masked", [False, True])
def test_corrupted_views_are_the_corruptions_of_the_image(masked: bool) -> None:
    spot = region(Box(5, 6, 30, 20), masked=masked)
    for view, drawn in {
        View("black"): corruptions.black(PICTURE),
        View("low_pass", strength=0.25): corruptions.low_pass(PICTURE, 0.25),
        View("diffusion_noise", strength=0.5, seed=4): corruptions.diffusion_noise(PICTURE, 0.5, 4),
        View("lesion_noise", spot, 0.5, 4): corruptions.lesion_noise(PICTURE, spot.box, spot.mask, 0.5, 4),
    }.items():
        assert render(PICTURE, view).tobytes() == drawn.tobytes() != PICTURE.tobytes()


@pytest.mark.parametrize("kind", ["crop", "lesion_noise"])
def test_a_view_of_a_region_needs_one(kind: str) -> None:
    with pytest.raises(ValueError, match=f"{kind} needs a region"):
        View(kind)  # type: ignore[arg-type]


def test_every_view_is_decoded_drawn_and_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Counts(monkeypatch)
    gallery = Gallery([asked("a"), asked("b"), asked("c", "two")])
    crops = [View("crop", region(Box(n, n, 20, 20), masked=True)) for n in range(3)]
    for _ in range(4):  # questions, steps and candidates
        for name in ("a", "b"):
            assert gallery.show(name, WHOLE) is gallery.image(name)
            shown = [gallery.show(name, replace(crop)) for crop in crops]  # equal values, other objects
            assert [shown[n].size for n in range(3)] == [(20 - n, 20 - n) for n in range(3)]
            assert [gallery.encode(name, crop) for crop in crops] == [encode(crop) for crop in shown]
    made = counts.of.pop("encode")
    assert counts.of == {"decode": 1, "render": 3} and made == 3
    assert gallery.image("c") is not gallery.image("a")


def test_the_whole_image_is_stored_as_it_was_published() -> None:
    data = images.encode_png(PICTURE)
    assert Gallery([asked("a", data=data)]).encode("a", WHOLE) is data


def test_what_does_not_fit_is_drawn_again_and_is_the_same() -> None:
    one, other = (View("crop", region(Box(n, 0, n + 10, 10))) for n in (0, 20))
    gallery = Gallery([asked("a")], limit=400)  # one crop of 300 bytes
    first = gallery.show("a", one)
    assert gallery.show("a", one) is first
    gallery.show("a", other)
    again = gallery.show("a", one)
    assert again is not first and again.tobytes() == first.tobytes()
    assert gallery.show("a", View("crop", region(Box(0, 0, 60, 40)))).size == (60, 40)  # larger than the cache


def test_a_cache_holds_no_more_pixels_than_its_limit() -> None:
    cache = pixel_cache(1000)
    for n in range(9):
        kept(cache, (n,), lambda: Image.new("RGB", (10, 10)))
    assert list(cache) == [(6,), (7,), (8,)] and cache.currsize == 900
