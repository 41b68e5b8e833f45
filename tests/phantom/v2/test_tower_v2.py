"""The start of a vision tower that notices fine lines."""

from __future__ import annotations

import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel

from clincot.phantom.v2.tower import notice_lines


def tower(patch: int) -> CLIPVisionModel:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    return CLIPVisionModel(CLIPVisionConfig(image_size=16, patch_size=patch, **sizes))


def test_patches_are_whitened_whatever_their_spectrum():
    pixels = torch.randn(400, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    smooth = torch.nn.functional.avg_pool2d(pixels, 5, 1, 2).expand(-1, 3, -1, -1)
    begun = tower(4)
    notice_lines(begun, smooth)
    shown = begun.embeddings.patch_embedding(smooth).transpose(0, 1).flatten(1)
    spread = shown.std(1)[:16]
    assert spread.max() < 1.2 and spread.median() > 0.8
    assert torch.allclose(shown[:16], -shown[16:], atol=1e-5)


def test_a_tower_that_is_too_narrow_is_refused():
    with pytest.raises(ValueError, match="32 wide"):
        notice_lines(tower(8), torch.zeros(2, 3, 16, 16))
