"""The views of a request -> the images that it carries: one for each view, or all of them on one canvas."""

from __future__ import annotations

from collections.abc import Sequence

from cachetools import LRUCache
from PIL.Image import Image

from clincot.images.canvas import compose
from clincot.images.views import LIMIT, Gallery, encode, kept, pixel_cache, render
from clincot.recipe import ImageLayout
from clincot.records import View

BLACK = View("black")


def arranged(seen: Sequence[Image], layout: ImageLayout) -> tuple[Image, ...]:
    """Return the images of a request for what is seen, in order."""
    if layout != "canvas" or len(seen) < 2:
        return tuple(seen)
    return (compose(*seen),)


class Display:
    """Draws what requests carry, each image and canvas once while there is room; `dark` blackens all that is seen."""

    def __init__(self, gallery: Gallery, layout: ImageLayout, *, dark: bool = False, limit: int = LIMIT) -> None:
        self.gallery, self.layout, self.dark = gallery, layout, dark
        self._kept = pixel_cache(limit)
        self._encoded: LRUCache[tuple[object, ...], bytes] = LRUCache(limit, getsizeof=len)

    def images(self, example_id: str, views: Sequence[View]) -> tuple[Image, ...]:
        """Return the images (RGB) of a request about an example that sees `views`."""
        if self.layout != "canvas" or len(views) < 2:
            return tuple(self._seen(example_id, view) for view in views)

        def canvas() -> Image:
            return arranged([self._seen(example_id, view) for view in views], self.layout)[0]

        return (kept(self._kept, self._key(example_id, views), canvas),)

    def encoded(self, example_id: str, views: Sequence[View]) -> tuple[bytes, ...]:
        """Return the images of a request as encoded bytes: whole images as they were published, others as PNG."""
        if self.layout != "canvas" or len(views) < 2:
            return tuple(self.gallery.encode(example_id, view) for view in views)
        key = self._key(example_id, views)
        return (kept(self._encoded, key, lambda: encode(self.images(example_id, views)[0])),)

    def _seen(self, example_id: str, view: View) -> Image:
        shown = self.gallery.show(example_id, view)
        if not self.dark:
            return shown
        return kept(self._kept, (*self._key(example_id, (view,)), BLACK), lambda: render(shown, BLACK))

    def _key(self, example_id: str, views: Sequence[View]) -> tuple[object, ...]:
        """Return what an image of `views` is kept by: the images that they are of, and the views."""
        return (*(self.gallery.image_id(example_id, view) for view in views), *views)
