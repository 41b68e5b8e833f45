"""The folder of a vision-language model -> the same folder with the tensor names that servers read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clincot.convert import shards
from clincot.convert.stored import read_json, stored

# transformers reads a CLIP or SigLIP tower with and without this infix and writes a model as it was read; one that was
# never read is written without. vLLM's towers have it: "no module or parameter named 'vision_tower.embeddings'".
TOWERS = ("clip_vision_model", "siglip_vision_model")
PLAIN = re.compile(r"^((?:model\.)?vision_tower\.)(?!vision_model\.)")


def renamed(names: Iterable[str], config: dict[str, Any]) -> dict[str, str]:
    """Return stored names that servers do not read, with those that they do; `config` is that of the model."""
    vision = config.get("vision_config")
    if not isinstance(vision, dict) or vision.get("model_type") not in TOWERS:
        return {}
    return {name: PLAIN.sub(r"\1vision_model.", name) for name in names if PLAIN.match(name)}


def name_for_servers(folder: Path) -> int:
    """Rename tensors of `folder` where servers need it, and return how many; values and other files stay.

    Files are written anew, of 1 GiB at most, one in memory at a time; the old ones go when all are written. Raises
    ModelError for a folder whose files are not whole, OSError.
    """
    held = stored(folder)
    new = renamed(held, read_json(folder / "config.json"))
    if not new:
        return 0
    moves = [shards.Move(tensor, new.get(name, name), tensor.dtype) for name, tensor in held.items()]
    with TemporaryDirectory(dir=folder) as place:
        shards.write(shards.loads(moves), Path(place))
        for old in {*(tensor.file for tensor in held.values()), folder / "model.safetensors.index.json"}:
            old.unlink(missing_ok=True)
        for path in Path(place).iterdir():
            path.rename(folder / path.name)
    return len(new)
