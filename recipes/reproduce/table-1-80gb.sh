#!/bin/bash
# Table 1 (methods from the released model and after SFT) on one card of 80 GB. NOT RUN.
# SEEDS=3 bash recipes/reproduce/table-1-80gb.sh [more options of `clincot table`]
# Estimated hours a seed: SLAKE 52, VQA-RAD 19, IU-Xray 22 or more (recipes/reproduce/README.md).
set -euo pipefail
for benchmark in vqa-rad slake iu-xray; do
    clincot table 1 --benchmark "$benchmark" --setting paper --hardware 80gb --seeds "${SEEDS:-1}" \
        --results "${RESULTS:-results}" "$@"
done
