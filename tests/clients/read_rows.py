"""A parquet part that clincot wrote, read by any version of `datasets` -> decoded images, or a failed assertion."""

from __future__ import annotations

import sys

import datasets


def main(path: str, cache: str) -> None:
    for options in ({}, {"streaming": True}):
        rows = datasets.load_dataset("parquet", data_files=path, split="train", cache_dir=cache, **options)
        row, _ = rows  # to the end: a reader that stops early may abort at exit
        (turn,) = row["prompt"]
        assert turn["role"] == "user" and isinstance(turn["content"], str), row["prompt"]
        assert [image.size for image in (*row["images"], *row["side_images"])] == [(36, 40)] * 3
        assert row["chosen_region"]["box"] == [1, 2, 30, 31] and row["rejected_region"] is None
    print(f"datasets {datasets.__version__}: rows and images read")


if __name__ == "__main__":
    main(*sys.argv[1:])
