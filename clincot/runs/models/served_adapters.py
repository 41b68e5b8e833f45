"""A run's adapter -> the same on the servers of its policy, under a name and from a folder of that version alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from clincot.engines import SERVED
from clincot.engines.lora import ALLOWED, Lora, ServedAdapter, loads_none
from clincot.errors import ModelError
from clincot.records.atomic import new_folder
from clincot.records.lineage import content_key
from clincot.runs.models import adapters
from clincot.runs.models.adapters import WEIGHTS, Adapter
from clincot.runs.run import Run

CONFIG = "adapter_config.json"
BELOW = "served"  # below a run's folder
DIGITS = 8


def lora_of(run: Run, adapter: Adapter) -> Lora:
    """Return `adapter` as the servers of the policy are given it.

    A server that cannot load it ends the command with what to start it with. What is finished of a build or evaluation
    is kept, so the same command goes on afterwards.
    """
    own = served_adapter(run, adapter)

    def every() -> list[ServedAdapter]:
        found = {one.name: one for one in (own, *(served_adapter(run, other) for other in adapters.all_of(run)))}
        return list(found.values())

    return Lora(own, every)


def report_loading(run: Run, say: Callable[[str], None]) -> None:
    """Say at once which servers of the policy will stop the run after its first adapter."""
    policy = run.recipe.models.policy
    if policy.kind not in SERVED:
        return
    for url in policy.endpoint:
        if loads_none(url, key_env=policy.key_env, timeout=policy.timeout):
            say(
                f"server {url}: loads no adapters while it runs ({ALLOWED} is not set there): the run will stop after"
                " its first adapter, with the command for starting the server again."
            )


def served_facts(run: Run, chosen: Iterable[Adapter | None]) -> dict[str, Any]:
    """Return what lineages say of adapters that were asked on servers: their names there, by tag."""
    if run.recipe.models.policy.kind not in SERVED:
        return {}
    names = {adapter.pin.revision: served_name(run, adapter) for adapter in chosen if adapter}
    return {"served_as": names} if names else {}


def served_name(run: Run, adapter: Adapter) -> str:
    """Return RUN-TAG-CONTENT: the same for the same files, another one for any other adapter.

    A server keeps the weights that it loaded under a name, so neither a new version of a round nor another run of the
    same name may share one.
    """
    content = content_key(adapter.sha256, json.loads((adapter.folder / CONFIG).read_text(encoding="utf-8")))
    return f"{run.name}-{adapter.pin.revision}-{content[:DIGITS]}"


def served_adapter(run: Run, adapter: Adapter) -> ServedAdapter:
    """Return the adapter as a server of the policy is given it; its files are below the run's folder afterwards.

    Raises ModelError for one that servers would load in part.
    """
    config = json.loads((adapter.folder / CONFIG).read_text(encoding="utf-8"))
    refuse_partial(adapter, config)
    name, root = served_name(run, adapter), run.recipe.models.policy.adapter_root
    folder = run.folder / BELOW / name
    _copy(adapter.folder, folder)
    seen = str(PurePosixPath(root) / run.folder.name / BELOW / name) if root else str(folder.resolve())
    return ServedAdapter(name, seen, int(config["r"]))


def refuse_partial(adapter: Adapter, config: dict[str, object]) -> None:
    """Raise ModelError for an adapter with whole layers, as a trained projector: servers load LoRA weights alone."""
    whole = config.get("modules_to_save")
    if whole:
        names = ", ".join(map(str, whole)) if isinstance(whole, list) else str(whole)
        raise ModelError(
            f"adapter {adapter.pin}: holds whole layers ({names}), as train.projector_lr makes them, and servers load"
            " LoRA weights alone. Run the policy in process (models.policy.kind=transformers, no endpoint), or train"
            " the round again with train.projector_lr=0."
        )


def _copy(adapter: Path, folder: Path) -> None:
    """Copy the two files: a snapshot of the Hub client is links into a cache that a container may not see."""
    if folder.is_dir():
        return
    try:
        with new_folder(folder, shared=True) as new:
            for name in (CONFIG, WEIGHTS):
                shutil.copyfile(adapter / name, new / name)
    except OSError:
        if not folder.is_dir():  # else another process was faster
            raise
