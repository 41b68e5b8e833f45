"""What the paper prints (arXiv 2603.01124, Tables 1 and 2), in percent, by start, row, benchmark and measure.

All rows of Table 1 but SFT's and ClinCoT's equal those of MMedPO's Table 1 (arXiv 2412.06141).
"""

from __future__ import annotations

COLUMNS = {
    "slake": ("open_recall", "closed_accuracy"),
    "vqa-rad": ("open_recall", "closed_accuracy"),
    "iu-xray": ("bleu_mean", "rougeL", "meteor"),
}
MMEDPO_STAGE_1 = "MMedPO, stage 1"
TABLE_1_BASE = {
    "LLaVA-Med v1.5": (44.26, 61.30, 29.24, 63.97, 14.56, 10.31, 10.95),
    "+ DPO": (49.30, 62.02, 29.76, 64.70, 16.08, 12.95, 17.13),
    "+ Self-Rewarding": (42.63, 61.30, 33.29, 64.17, 14.20, 10.38, 10.52),
    "+ STLLaVA-Med": (48.65, 61.75, 30.17, 64.38, 16.11, 10.58, 10.51),
    "+ POVID": (52.43, 70.35, 31.77, 65.07, 20.80, 24.33, 30.05),
    "+ SIMA": (51.77, 69.10, 31.23, 64.80, 17.11, 22.87, 29.10),
    "+ FiSAO": (52.69, 70.46, 32.70, 64.11, 21.06, 25.72, 30.82),
    "+ MMedPO": (53.99, 73.08, 36.36, 66.54, 23.49, 29.52, 34.16),
    "+ ClinCoT": (53.73, 73.41, 33.15, 65.88, 24.96, 29.79, 35.44),
    # MMedPO's own "Stage 1 (Multi-LLMs)", of which its released rows are: no row of Table 1.
    MMEDPO_STAGE_1: (49.39, 65.87, 32.42, 69.85, 17.23, 19.57, 22.92),
}
TABLE_1_SFT = {
    "+ SFT": (50.45, 65.62, 31.38, 64.26, 22.75, 28.86, 33.66),
    "+ DPO": (53.50, 69.47, 32.88, 64.33, 23.07, 29.97, 34.89),
    "+ Self-Rewarding": (50.62, 65.89, 32.69, 65.89, 22.89, 28.97, 33.93),
    "+ STLLaVA-Med": (52.72, 66.69, 33.72, 64.70, 22.79, 28.98, 34.05),
    "+ POVID": (52.18, 70.67, 32.95, 64.97, 23.95, 29.75, 34.63),
    "+ SIMA": (51.75, 69.28, 32.50, 64.08, 23.90, 29.41, 34.45),
    "+ FiSAO": (52.80, 70.82, 32.94, 65.77, 23.57, 29.88, 35.01),
    "+ MMedPO": (55.23, 75.24, 34.03, 67.64, 24.00, 30.13, 35.17),
    "+ ClinCoT": (56.13, 75.77, 34.21, 67.89, 26.17, 31.73, 36.59),
}
TABLE_2 = {
    "ClinCoT w/o SFT": (53.73, 73.41, 33.15, 65.88, 24.96, 29.79, 35.44),
    "w/o ClinCoT": (41.09, 56.83, 24.55, 51.38, 17.13, 23.44, 26.85),
    "w/ naive DPO": (50.22, 71.39, 31.06, 62.61, 22.76, 28.51, 33.18),
    "w/o iterative learning": (49.97, 69.83, 30.23, 60.75, 21.84, 26.19, 31.91),
    "w/o [name lost]": (46.53, 65.37, 28.71, 57.69, 20.03, 25.42, 29.89),
    "single evaluator": (52.16, 72.28, 32.34, 64.95, 23.62, 28.81, 34.73),
}
PRINTED = {(1, "base"): TABLE_1_BASE, (1, "sft"): TABLE_1_SFT, (2, "base"): TABLE_2}


def published(table: int, start: str, row: str, benchmark: str, metric: str) -> float | None:
    """Return the number in percent, None where the paper prints none: another benchmark, row or measure."""
    numbers = PRINTED.get((table, start), {}).get(row)
    if numbers is None or metric not in COLUMNS.get(benchmark, ()):
        return None
    places = [(name, column) for name, columns in COLUMNS.items() for column in columns]
    return numbers[places.index((benchmark, metric))]


def printed_of(table: int, start: str, row: str, benchmark: str) -> str:
    """Return what is printed of a row on a benchmark, such as "32.42 / 69.85"; "" where nothing is."""
    found = [published(table, start, row, benchmark, metric) for metric in COLUMNS.get(benchmark, ())]
    return " / ".join(f"{number:.2f}" for number in found if number is not None)


def prints(benchmark: str) -> bool:
    """Return whether the paper has numbers of the benchmark."""
    return benchmark in COLUMNS
