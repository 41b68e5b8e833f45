"""A device -> how many bytes an engine keeps of trunks, and as many again of what followed them."""

from __future__ import annotations

import torch

CACHE_BYTES = 4 * 2**30  # the trunks of 8 images x 6 regions of a 7B LLaVA in bf16 (recipes/clincot.yaml)
GPU_SHARE = 8  # trunks and branches may each take an eighth of a GPU: of 80 GB, 60 stay for weights, judges and batches


def default_cache(device: torch.device) -> int:
    """Return how many bytes to keep; a function of the kind of device alone, since what is kept decides last digits."""
    if device.type != "cuda":
        return CACHE_BYTES
    return int(torch.cuda.get_device_properties(device).total_memory // GPU_SHARE)
