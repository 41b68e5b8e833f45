"""One process of a launch: trains a tiny job, keeps the first step's gradients, and dies at a step if told to.

Words: base, parquet file of rows, work folder, batch of each process, step at whose beginning to die (-1: never),
and for round 2 the adapter of round 1.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor
from torch.distributed.tensor import DTensor

from clincot.methods.clincot_config import Config
from clincot.recipe import MethodChoice, Models, ModelSource, Recipe, Train
from clincot.stages.train import dpo as train
from clincot.stages.train.dpo import TrainJob, train_adapter

DPO = {"learning_rate": 5e-3, "num_train_epochs": 2, "beta": 0.5, "logging_steps": 1, "max_grad_norm": 0.0}


def main(base: Path, rows: Path, folder: Path, batch: int, die_at: int, parent: Path | None = None) -> None:
    class Watch(train.Live):
        def on_step_begin(self, args, state, control, **kwargs):
            if state.global_step == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

        def on_pre_optimizer_step(self, args, state, control, **kwargs):
            if state.global_step == 0:
                named = self.trainer.accelerator.unwrap_model(self.trainer.model).named_parameters()
                gradients = {name: whole(p.grad) for name, p in named if p.requires_grad}
                if state.is_world_process_zero:
                    save_file(gradients, folder / "gradients.safetensors")

    train.Live = Watch  # type: ignore[misc]
    source = ModelSource("clincot/tiny")
    how = Train(dpo=DPO | {"per_device_train_batch_size": batch}, lora={"r": 4, "lora_alpha": 8})
    models = Models(source, source, (source, source))
    recipe = Recipe("clincot", MethodChoice("clincot", Config()), "tests", "phantom", models, train=how)
    outcome = train_adapter(
        TrainJob(recipe, 2 if parent else 1, (rows,), base, str(base), parent, folder, stored_reference=False)
    )
    if os.environ.get("RANK", "0") == "0":
        losses = [entry["loss"] for entry in outcome.history if "loss" in entry]
        (folder / "losses.json").write_text(json.dumps({"losses": losses, "processes": outcome.facts["processes"]}))


def whole(gradient: Tensor) -> Tensor:
    """Return a gradient that may be cut over the processes; every process must ask."""
    return gradient.full_tensor() if isinstance(gradient, DTensor) else gradient.clone()


def of(words: list[str]) -> tuple[Path, Path, Path, int, int, Path | None]:
    """Return the arguments of `main` that the words of a command mean."""
    base, rows, folder, batch, die_at, *parent = words[1:]
    return Path(base), Path(rows), Path(folder), int(batch), int(die_at), Path(parent[0]) if parent else None


if __name__ == "__main__":
    main(*of(sys.argv))
