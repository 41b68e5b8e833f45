#!/bin/bash
# Table 2 (ablations of ClinCoT) on one card of 80 GB. NOT RUN.
# SEEDS=3 bash recipes/reproduce/table-2-80gb.sh [more options of `clincot table`]
# Estimated hours a seed: SLAKE 42, VQA-RAD 16, IU-Xray 18 or more (recipes/reproduce/README.md).
set -euo pipefail
for benchmark in vqa-rad slake iu-xray; do
    clincot table 2 --benchmark "$benchmark" --setting paper --hardware 80gb --seeds "${SEEDS:-1}" \
        --results "${RESULTS:-results}" "$@"
done
