"""Images -> what the frozen part before the language model makes of them, kept: pixels, and the tower's features."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from cachetools import LRUCache
from torch import Tensor
from transformers import BatchFeature, ProcessorMixin
from transformers.modeling_outputs import BaseModelOutputWithPooling

from clincot.errors import RecipeError
from clincot.lm.language_model import language_model
from clincot.objectives.sides import pixels_key

# What processors say of images in addition to their pixels: features then depend on it, and rows may be patches.
DESCRIBES = {"image_sizes", "image_grid_thw", "pixel_attention_mask", "aspect_ratio_ids", "aspect_ratio_mask"}
DESCRIBES |= {"num_crops", "batch_num_images", "qformer_input_ids", "spatial_shapes", "image_position_ids"}
PIXEL_BYTES = 512 * 2**20  # 375 images of 336 pixels in float32


class _Kept(LRUCache[Any, Tensor]):
    """Tensors by name, the least recently used dropped beyond `limit` bytes; one beyond it alone is not kept."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, getsizeof=lambda value: value.nbytes)

    def put(self, name: Any, value: Tensor) -> None:
        if value.nbytes <= self.maxsize:
            self[name] = value


class FeatureCache:
    """The frozen tower's and projector's features of each image, for the model's own `mm_encoder_outputs`.

    Only for a tower and a projector that no step changes. At 7B an image takes 4.7 MB in bfloat16.
    """

    def __init__(self, limit: int) -> None:
        self._kept = _Kept(limit)
        self.encoded = 0

    def reads(self, inputs: Mapping[str, Any]) -> bool:
        """Return whether the images of a batch are one tensor of pixels each and nothing else.

        Raises RecipeError where they are more (sizes, patches, masks) and the recipe asks for kept features.
        """
        more = sorted(DESCRIBES & inputs.keys())
        if more and self._kept.maxsize:
            raise RecipeError(
                f"train.feature_cache_gb: the model reads {', '.join(more)} of its images in addition to their pixels,"
                " so no features can be kept. Set it to 0."
            )
        return not more

    @torch.no_grad()
    def __call__(self, model: Any, names: Sequence[str], pixels: Tensor) -> dict[str, Any]:
        """Return the features of `pixels` (images, ...), in the order of `names`; encodes those not kept."""
        found = {name: self._kept.get(name) for name in names}
        lacking = [name for name, value in found.items() if value is None]
        if lacking:
            rows = torch.tensor([names.index(name) for name in lacking], device=pixels.device)
            out = model.get_image_features(pixel_values=pixels[rows].to(model.dtype), return_dict=True)
            self.encoded += len(lacking)
            for name, value in zip(lacking, out.pooler_output, strict=True):
                found[name] = value.detach()
                self._kept.put(name, value.detach())
        encoded: Any = [found[name] for name in names]
        return {"image": BaseModelOutputWithPooling(pooler_output=encoded)}


def feature_cache(model: Any, gigabytes: float, checkpointed: bool) -> FeatureCache | None:
    """Return a cache of that size where the recipe wants one, else one that keeps nothing where that saves work.

    Recomputation of activations makes an image's embedding ask for a gradient, and the backward pass then runs through
    the frozen tower for nothing (2 of 100 TF at 7B, counted); images encoded beforehand avoid it.
    Raises RecipeError when features are to be kept of a tower that training changes, or that the model does not take.
    """
    if not gigabytes and not checkpointed:
        return None
    base = model.get_base_model()
    trained = [language_model(base)[1], base.get_output_embeddings()]
    texts = {id(p) for part in trained if part is not None for p in part.parameters()}
    moving = [n for n, p in model.named_parameters() if p.requires_grad and id(p) not in texts]
    takes = "mm_encoder_outputs" in inspect.signature(type(base).forward).parameters
    if takes and not moving:
        return FeatureCache(int(gigabytes * 2**30))
    if gigabytes:
        reason = f"training changes {moving[0]}" if moving else "the model takes no encoded images"
        raise RecipeError(f"train.feature_cache_gb: {reason}, so no features can be kept. Set it to 0.")
    return None


class _CachedPixels:
    """An image processor that prepares each image once, where it makes pixels of one size and nothing else."""

    def __init__(self, inner: Any, limit: int) -> None:
        self._inner, self._kept = inner, _Kept(limit)
        self.prepared = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_inner"], name)

    def __call__(self, images: Any, *args: Any, **options: Any) -> Any:
        flat = [image for row in images for image in (row if isinstance(row, list | tuple) else [row])]
        key = repr(sorted(options.items()))
        names = [(pixels_key(image), key) for image in flat]
        found: dict[Any, Any] = {name: self._kept.get(name) for name in names}
        for name, image in zip(names, flat, strict=True):
            if found[name] is None:
                out = self._inner([image], *args, **options)
                if set(out) != {"pixel_values"} or len(out["pixel_values"]) != 1:
                    return self._inner(images, *args, **options)
                self.prepared += 1
                found[name] = torch.as_tensor(out["pixel_values"][0])
                self._kept.put(name, found[name])
        return BatchFeature({"pixel_values": torch.stack([found[name] for name in names])})


def with_pixel_cache(processor: ProcessorMixin, limit: int = PIXEL_BYTES) -> Any:
    """Return a copy of `processor` that prepares an image once, by its pixels and the processor's own options."""
    cached = copy.copy(processor)
    if getattr(processor, "image_processor", None) is not None:
        cached.image_processor = _CachedPixels(processor.image_processor, limit)  # type: ignore[attr-defined]
    return cached
