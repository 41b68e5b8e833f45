"""An image and a view of it -> what a model sees, as pixels and as the bytes that rows carry; each is made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from contextlib import suppress
from typing import TypeVar, cast

from cachetools import LRUCache
from PIL import Image

from clincot import images
from clincot.errors import UnreadableImage
from clincot.images import corruptions, crops
from clincot.images.notes import carries_notes
from clincot.records import WHOLE, Example, Region, View

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
    if view.kind == "lesion_replaced":
        return corruptions.lesion_replaced(image, region.box, region.mask, view.seed)
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

    def image_id(self, example_id: str, view: View = WHOLE) -> str:
        """Return the id of the image that a view of an example shows, which its views are kept by."""
        return self._examples[example_id].image_ids[view.image]

    def image(self, example_id: str, number: int = 0) -> Image.Image:
        """Return a whole image (RGB) of an example; 0 is the primary one. Raises UnreadableImage."""
        example = self._examples[example_id]
        image_id = example.image_ids[number]
        if image_id not in self._decoded:
            self._decoded[image_id] = images.decode(example.encoded(number), example.label_of(number))
        return self._decoded[image_id]

    def unreadable(self, example_id: str) -> str:
        """Decode all images of an example; return why one of them cannot be read, or ""."""
        for number in range(len(self._examples[example_id].image_ids)):
            try:
                self.image(example_id, number)
            except UnreadableImage as error:
                return str(error)
        return ""

    def show(self, example_id: str, view: View) -> Image.Image:
        """Return what a model sees (RGB)."""
        if view.kind == "image":
            return self.image(example_id, view.image)
        key = (self.image_id(example_id, view), view)
        return kept(self._drawn, key, lambda: render(self.image(example_id, view.image), view))

    def encode(self, example_id: str, view: View) -> bytes:
        """Return a view as a row carries it: the whole image as `carried` gives it, others as PNG."""
        if view.kind == "image":
            example = self._examples[example_id]
            return carried(example.encoded(view.image), example.label_of(view.image))
        key = (self.image_id(example_id, view), view)
        return kept(self._encoded, key, lambda: encode(self.show(example_id, view)))
