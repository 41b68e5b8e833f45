"""An import of torchvision beside a torch for CPUs -> the operators that it asks for, declared before.

For `.venv/models` and `.venv/servers` alone. A torchvision that is built for the installed torch needs none of it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any

SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class BeforeTorchvision(MetaPathFinder):
    """Finds no module; declares the operators when torchvision is looked for the first time."""

    library: Any = None  # its end would take the operators away

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if name == "torchvision" and self.library is None:
            import torch

            if torch.version.cuda is None:  # else torchvision's compiled part declares them
                self.library = torch.library.Library("torchvision", "DEF")
                for operator in ("nms", "qnms"):
                    self.library.define(operator + SIGNATURE)


sys.meta_path.insert(0, BeforeTorchvision())
