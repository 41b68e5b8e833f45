#!/bin/bash
# All rounds and the evaluation as jobs that wait for each other, as `clincot run` does it in one command. NOT RUN on Slurm.
# ROUNDS=2 bash recipes/slurm/rounds.sh --setting paper --hardware 8x80gb
# A job that fails leaves those after it waiting (scancel them); submit everything again, what is finished is found.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
before=()
for round in $(seq 1 "${ROUNDS:-2}"); do
    for step in build train; do
        job=$(ROUND=$round sbatch --parsable ${before[@]+"${before[@]}"} "$here/$step.sbatch" "$@")
        echo "round $round, $step: job ${job%%;*}"
        before=("--dependency=afterok:${job%%;*}")
    done
done
job=$(sbatch --parsable "${before[@]}" "$here/evaluate.sbatch" "$@")
echo "evaluation: job ${job%%;*}"
