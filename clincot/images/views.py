"""An image and a view of it -> what a model sees, as pixels and as the bytes that rows carry; each is made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from contextlib import suppress
from typing import TypeVar, cast

from cachetools import LRUCache
from PIL import Image

from clincot import images
from clincot.images import corruptions, crops
from clincot.images.notes import carries_notes
from clincot.records import Example, Region, View

LIMIT = 256 * 2**20  # bytes of pixels, and as many of PNG: 48 crops (8 images, 6 regions) of 1,300 pixels a side
T = TypeVar("T")


def render(image: Image.Image, view: View) -> Image.Image:
    """Draw `view` of `image` (RGB) as an RGB image: equal pixels for equal arguments."""
    if view.kind == "image":
        return image
    if view.kind == "black":
        return corruptions.black(image)
    if view.kind == "low_pass":
        return corruptions.low_pass(image, view.strength)
    if view.kind == "diffusion_noise":
        return corruptions.diffusion_noise(image, view.strength, view.seed)
    region = cast(Region, view.region)
    if view.kind == "crop":
        return crops.crop(image, region.box, region.mask)
    return corruptions.lesion_noise(image, region.box, region.mask, view.strength, view.seed)


def encode(rendered: Image.Image) -> bytes:
    """Return a rendered view as PNG; radiographs are grey, so equal channels are stored once."""
    red, green, blue = rendered.split()
    grey = red.tobytes() == green.tobytes() == blue.tobytes()
    return images.encode_png(red if grey else rendered)


def carried(data: bytes, name: str) -> bytes:
    """Return an encoded image as rows carry it: as published, or as a PNG of its pixels where its file may name people.

    Raises UnreadableImage.
    """
    return encode(images.decode(data, name)) if carries_notes(data) else data


def kept(cache: MutableMapping[tuple[object, ...], T], key: tuple[object, ...], make: Callable[[], T]) -> T:
    """Return the value of `key`, made where the cache has none; one that is larger than the cache is not kept."""
    found = cache.get(key)
    if found is None:
        found = make()
        with suppress(ValueError):  # what cachetools raises for a value above its limit
            cache[key] = found
    return found


def pixel_cache(limit: int = LIMIT) -> LRUCache[tuple[object, ...], Image.Image]:
    """Return a cache of RGB images that drops the least recently used beyond `limit` bytes."""
    return LRUCache(limit, getsizeof=lambda image: 3 * image.width * image.height)


class Gallery:
    """The images of some examples, each decoded once, and their views, each drawn and encoded once while there is room.

    `limit` is in bytes, for what is drawn and for what is encoded; the images themselves stay as long as the gallery.
    """

    def __init__(self, examples: Iterable[Example], limit: int = LIMIT) -> None:
        self._examples = {example.id: example for example in examples}
        self._decoded: dict[str, Image.Image] = {}
        self._drawn = pixel_cache(limit)
        self._encoded: LRUCache[tuple[object, ...], bytes] = LRUCache(limit, getsizeof=len)

    def image_id(self, example_id: str) -> str:
        """Return the id of an example's image, which its views are kept by."""
        return self._examples[example_id].image_id

    def image(self, example_id: str) -> Image.Image:
        """Return the whole image (RGB) of an example. Raises UnreadableImage."""
        example = self._examples[example_id]
        if example.image_id not in self._decoded:
            self._decoded[example.image_id] = images.decode(example.encoded(), example.image_label)
        return self._decoded[example.image_id]

    def show(self, example_id: str, view: View) -> Image.Image:
        """Return what a model sees (RGB)."""
        if view.kind == "image":
            return self.image(example_id)
        key = (self._examples[example_id].image_id, view)
        return kept(self._drawn, key, lambda: render(self.image(example_id), view))

    def encode(self, example_id: str, view: View) -> bytes:
        """Return a view as a row carries it: the whole image as `carried` gives it, others as PNG."""
        if view.kind == "image":
            example = self._examples[example_id]
            return carried(example.encoded(), example.image_label)
        key = (self._examples[example_id].image_id, view)
        return kept(self._encoded, key, lambda: encode(self.show(example_id, view)))
