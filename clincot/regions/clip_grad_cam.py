"""Images and words -> Grad-CAM maps: what raises the similarity of image and text where the patches are last pooled.

The activations are those that the pooling reads: in CLIP the normed states of the second-last layer, in SigLIP the
normed states of the last. Not the states before their norm: a layer norm does not see the length of its input, so
gradient times state is 0 at every patch of a CLIP (measured: 1e-7, noise).
"""

from __future__ import annotations

import torch
from torch import Tensor

from clincot.regions._clip_towers import square
from clincot.regions.clip_patches import ClipPatches


class ClipGradCam(ClipPatches):
    """The second reading of the same models; all hypotheses of an image share one backward pass through the pooling.

    Gradient times activation, summed over channels, negative sums set to 0: element by element (HiResCAM, arXiv
    2011.08891), since gradients averaged over the image can light up places that the output does not depend on.
    """

    @torch.enable_grad()
    def maps(self, before: Tensor, last: Tensor, texts: Tensor) -> Tensor:
        """As in `ClipPatches`; 0 where a patch does not raise the similarity."""
        towers = self.encoder.towers
        read = towers.read(before[None], last[None]).expand(len(texts), -1, -1).clone().requires_grad_()
        similar = (towers.pool(read, before[None]) * texts).sum()
        (gradient,) = torch.autograd.grad(similar, read)
        raises = (gradient * read.detach()).sum(-1).relu()
        return square(raises[:, towers.class_tokens :])
