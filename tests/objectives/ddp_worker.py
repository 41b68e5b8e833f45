"""One process of a launch: trains a tiny job, keeps the first step's gradients, and dies at a step if told to.

Words: base, parquet file of rows, work folder, batch of each process, step at whose beginning to die (-1: never).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from safetensors.torch import save_file

from clincot.methods.clincot_config import Config
from clincot.recipe import MethodChoice, Models, ModelSource, Recipe, Train
from clincot.stages.train import dpo as train
from clincot.stages.train.dpo import TrainJob, train_adapter

DPO = {"learning_rate": 5e-3, "num_train_epochs": 2, "beta": 0.5, "logging_steps": 1, "max_grad_norm": 0.0}


def main(base: Path, rows: Path, folder: Path, batch: int, die_at: int) -> None:
    class Watch(train.Live):
        def on_step_begin(self, args, state, control, **kwargs):
            if state.global_step == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

        def on_pre_optimizer_step(self, args, state, control, **kwargs):
            if state.global_step == 0 and state.is_world_process_zero:
                named = self.trainer.accelerator.unwrap_model(self.trainer.model).named_parameters()
                gradients = {name: p.grad.clone() for name, p in named if p.requires_grad}
                save_file(gradients, folder / "gradients.safetensors")

    train.Live = Watch  # type: ignore[misc]
    source = ModelSource("clincot/tiny")
    how = Train(dpo=DPO | {"per_device_train_batch_size": batch}, lora={"r": 4, "lora_alpha": 8})
    models = Models(source, source, (source, source))
    recipe = Recipe("clincot", MethodChoice("clincot", Config()), "tests", "phantom", models, train=how)
    outcome = train_adapter(TrainJob(recipe, 1, (rows,), base, str(base), None, folder, stored_reference=False))
    if os.environ.get("RANK", "0") == "0":
        losses = [entry["loss"] for entry in outcome.history if "loss" in entry]
        (folder / "losses.json").write_text(json.dumps({"losses": losses, "processes": outcome.facts["processes"]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
