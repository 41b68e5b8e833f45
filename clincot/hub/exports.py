"""A repo of a Hub at a pinned revision -> a plain folder for `load_dataset(path)` and `from_pretrained(path)`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml

from clincot.errors import HubError
from clincot.hub.client import Hub
from clincot.hub.publish import CARD, KEPT_BY_THE_HUB
from clincot.records.atomic import new_folder
from clincot.records.lineage import Pin


def export(hub: Hub, pin: Pin, folder: Path) -> list[str]:
    """Write every file of the pinned version below `folder` and return their paths.

    The folder appears whole or not at all. Raises HubError when it holds anything already: a folder has no versions, so
    two of them must never mix.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HubError(f"{folder}: is not empty. Name a new folder, or empty this one.")
    paths = [path for path in hub.list_files(pin) if path != KEPT_BY_THE_HUB]
    if not paths:
        raise HubError(f"{hub.label}: {pin.kind} {pin} holds no file. Name another revision.")
    cached = hub.snapshot(pin)
    with new_folder(folder) as partial:
        for path in paths:
            (partial / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(cached / path, partial / path)
    return paths


def how_to_load(pin: Pin, folder: Path) -> str:
    """Return the lines of Python that load an exported folder."""
    if pin.kind == "dataset":
        names = _configs(folder)
        config = f', "{names[0]}"' if names else ""
        return f'from datasets import load_dataset\nrows = load_dataset("{folder}"{config})'
    if (folder / "adapter_config.json").is_file():
        base = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"]
        return (
            "from peft import PeftModel\nfrom transformers import AutoModelForImageTextToText\n"
            f'base = AutoModelForImageTextToText.from_pretrained("{base}")\n'
            f'model = PeftModel.from_pretrained(base, "{folder}")'
        )
    return f'from transformers import AutoModel\nmodel = AutoModel.from_pretrained("{folder}")'


def _configs(folder: Path) -> list[str]:
    """Return the names of a card's configs, the default one first."""
    card = folder / CARD
    parts = card.read_text(encoding="utf-8").split("---\n", 2) if card.is_file() else []
    front = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    configs = (front or {}).get("configs") or []
    return [c["config_name"] for c in sorted(configs, key=lambda config: not config.get("default"))]
