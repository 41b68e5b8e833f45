"""As ddp_worker, with the model cut over the processes by `fully_shard`, as accelerate does it on GPUs.

accelerate 1.15 cuts only where it sees an accelerator; over gloo it falls back to whole copies without a word. One
condition is changed for that: what it calls MULTI_CPU counts as MULTI_GPU where FSDP is asked for. All else is its own.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import ddp_worker
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType
from accelerate.utils.launch import prepare_multi_gpu_env
from torch.distributed.tensor import DTensor
from transformers import TrainerCallback

from clincot.recipe import recipes_folder
from clincot.stages.train import distributed


def shard_on_cpus() -> None:
    """Give accelerate the variables that `accelerate launch` makes of recipes/accelerate/fsdp.yaml, and let it cut."""
    path = recipes_folder() / "accelerate" / "fsdp.yaml"
    words = ["--config_file", str(path), "-m", "clincot", "train"]
    launched = _validate_launch_command(launch_command_parser().parse_args(words))[0]
    environment = prepare_multi_gpu_env(launched)
    os.environ |= {name: value for name, value in environment.items() if "FSDP" in name}
    start = AcceleratorState.__init__

    def init(self: AcceleratorState, *words: Any, **options: Any) -> None:
        shared = PartialState._shared_state
        if shared.get("distributed_type") == DistributedType.MULTI_CPU:
            shared["distributed_type"] = DistributedType.MULTI_GPU
        start(self, *words, **options)

    AcceleratorState.__init__ = init  # type: ignore[method-assign]


class Cut(TrainerCallback):
    """Writes how many parameters are cut over the processes in a step, and where."""

    def __init__(self, trainer: Any, path: Path) -> None:
        self.trainer, self.path = trainer, path

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            named = list(self.trainer.model.named_parameters())
            whole = [name for name, p in named if not isinstance(p, DTensor)]
            frozen = [name for name, p in named if not p.requires_grad]
            local = sum(p.to_local().numel() for _, p in named if isinstance(p, DTensor))
            said = {"whole": whole, "frozen": len(frozen), "all": len(named), "local": local}
            said |= {"elements": sum(p.numel() for _, p in named)}
            self.path.write_text(json.dumps(said))


def main() -> None:
    shard_on_cpus()
    cut = distributed.cut_at_layers

    def watched(trainer: Any) -> None:
        cut(trainer)
        trainer.add_callback(Cut(trainer, Path(sys.argv[3]) / "cut.json"))

    distributed.cut_at_layers = watched  # type: ignore[assignment]
    ddp_worker.main(*ddp_worker.of(sys.argv))


if __name__ == "__main__":
    main()
