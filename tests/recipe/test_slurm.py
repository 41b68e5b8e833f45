"""The Slurm scripts, run with stand-ins for Slurm's commands: what they would start is parsed by what they start."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from accelerate.commands.launch import launch_command_parser
from torch.distributed.run import get_args_parser
from typer.main import get_command

from clincot.cli import app
from clincot.recipe import recipes_folder

FOLDER = recipes_folder() / "slurm"
WORDS = ("--setting", "paper", "--hardware", "8x80gb", "--set", "seed=3")
JOB = {
    "SLURM_JOB_ID": "77",
    "SLURM_JOB_NODELIST": "node[1-4]",
    "SLURM_JOB_NUM_NODES": "4",
    "SLURM_CPUS_PER_TASK": "32",
    "SLURM_GPUS_ON_NODE": "8",
}
STAND_INS = {
    "scontrol": "printf 'node1\\nnode2\\n'",
    "srun": "printf '%s\\n' \"$@\"",
    "sbatch": 'echo "ROUND=${ROUND:-} $*" >> jobs; echo "$((100 + $(wc -l < jobs)));cluster"',
}


def started(script: str, cwd: Path, **environment: str) -> list[str]:
    """Return the lines that a script prints where Slurm's commands print or note what they were given."""
    commands = cwd / "bin"
    commands.mkdir()
    for name, body in STAND_INS.items():
        (commands / name).write_text(f"#!/bin/bash\n{body}\n")
        (commands / name).chmod(0o755)
    done = subprocess.run(
        ["bash", str(FOLDER / script), *WORDS],
        cwd=cwd,
        env=os.environ | JOB | environment | {"PATH": f"{commands}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def parsed(words: list[str]) -> tuple[str, dict[str, object]]:
    """Return the command of clincot that `words` name, and what its parser makes of the others."""
    command = get_command(app).commands[words[0]]  # type: ignore[attr-defined]
    return words[0], command.make_context(words[0], words[1:]).params


def check_words(params: dict[str, object]) -> None:
    assert (params["setting"], params["hardware"], params["set"]) == ("paper", "8x80gb", ["seed=3"])


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_a_script_is_bash_and_says_that_it_was_not_run(path: Path) -> None:
    assert subprocess.run(["bash", "-n", str(path)]).returncode == 0
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/bin/bash" and "NOT RUN on Slurm" in lines[1] and f"recipes/slurm/{path.name}" in lines[2]
    asked = [line for line in lines if line.startswith("#SBATCH")]
    assert all(re.fullmatch(r"#SBATCH --[a-z-]+=\S+", line) for line in asked)
    assert len(asked) == (7 if path.suffix == ".sbatch" else 0)
    assert "set -euo pipefail" in lines


@pytest.mark.parametrize(("script", "command"), [("build.sbatch", "build-data"), ("evaluate.sbatch", "evaluate")])
def test_building_and_answering_start_a_cluster_of_the_whole_job(script: str, command: str, tmp_path: Path) -> None:
    words = started(script, tmp_path, ROUND="2")
    end = words.index("--")
    assert words[:6] == ["ray", "symmetric-run", "--address", "node1:6379", "--min-nodes", "4"]
    start = dict(zip(words[6:end:2], words[7:end:2], strict=True))
    assert start == {"--num-cpus": "32", "--num-gpus": "8", "--object-store-memory": "100000000"}
    assert words[end + 1 : end + 4] == ["env", "RAY_ADDRESS=node1:6379", "clincot"]
    name, params = parsed(words[end + 4 :])
    assert (name, params["executor"]) == (command, "ray")
    assert params["round"] == (2 if command == "build-data" else 0)
    check_words(params)


def test_ray_takes_what_a_node_is_started_with(tmp_path: Path) -> None:
    symmetric = pytest.importorskip("ray.scripts.symmetric_run")
    words = started("build.sbatch", tmp_path)
    assert symmetric.curate_and_validate_ray_start_args(words[2 : words.index("--")])


def test_training_starts_a_process_for_each_gpu(tmp_path: Path) -> None:
    words = started("train.sbatch", tmp_path, ROUND="2", SLURM_JOB_NUM_NODES="1", SLURM_GPUS_ON_NODE="4")
    assert words[0] == "torchrun"
    read = get_args_parser().parse_args(words[1:])
    assert (read.nnodes, read.nproc_per_node, read.rdzv_endpoint) == ("1", "4", "node1:29500")
    assert read.module and read.training_script == "clincot"
    name, params = parsed(read.training_script_args)
    assert (name, params["round"]) == ("train", 2)
    check_words(params)


def test_training_of_a_cut_model_is_launched_by_accelerate(tmp_path: Path) -> None:
    words = started("train.sbatch", tmp_path, LAUNCHER="fsdp", SLURM_GPUS_ON_NODE="4")
    assert words[:2] == ["accelerate", "launch"]
    read = launch_command_parser().parse_args(words[2:])
    assert (read.config_file, read.num_processes) == ("recipes/accelerate/fsdp.yaml", 4)
    assert parsed(read.training_script_args)[1]["round"] == 1


def test_rounds_wait_for_each_other(tmp_path: Path) -> None:
    assert started("rounds.sh", tmp_path, ROUNDS="2")[-1] == "evaluation: job 105"
    jobs = (tmp_path / "jobs").read_text().splitlines()
    seen = [re.match(r"ROUND=(\d?) --parsable (?:--dependency=afterok:(\d+) )?\S+/(\w+)\.sbatch ", job) for job in jobs]
    assert [found.groups() if found else None for found in seen] == [
        ("1", None, "build"),
        ("1", "101", "train"),
        ("2", "102", "build"),
        ("2", "103", "train"),
        ("", "104", "evaluate"),
    ]
    assert all(job.endswith(" ".join(WORDS)) for job in jobs)
