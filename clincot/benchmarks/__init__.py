"""Dataset repositories and own data -> examples (image, question, answer); `BENCHMARKS` is the table to add one to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clincot.errors import DataError
from clincot.recipe.choices import check_parts, choose
from clincot.recipe.own_data import is_own
from clincot.recipe.plugins import Table

if TYPE_CHECKING:
    from clincot.benchmarks.base import Benchmark

BENCHMARKS = Table(
    "benchmarks",
    {
        "phantom": "clincot.benchmarks.phantom:Phantom",
        "phantom-v2": "clincot.benchmarks.phantom:PhantomV2",
        "slake": "clincot.benchmarks.slake:Slake",
        "slake-zh": "clincot.benchmarks.slake:SlakeChinese",
        "vqa-rad": "clincot.benchmarks.vqa_rad:VqaRad",
        "vqa-rad-by-image": "clincot.benchmarks.vqa_rad_by_image:VqaRadByImage",
        "iu-xray": "clincot.benchmarks.iu_xray:IuXray",
        "iu-xray-two-views": "clincot.benchmarks.iu_xray:IuXrayTwoViews",
        "path-vqa": "clincot.benchmarks.path_vqa:PathVqa",
    },
)
# What `clincot benchmarks import` can lay out as its public copy. SLAKE and PathVQA come as they are published:
# `clincot hub import FOLDER --as REPO` takes them.
IMPORTERS = {
    "vqa-rad": "clincot.benchmarks.vqa_rad_release:imported",
    "iu-xray": "clincot.benchmarks.iu_xray_release:imported",
    "iu-xray-two-views": "clincot.benchmarks.iu_xray_release:imported_two_views",
}


def cut_of(name: str) -> str:
    """Return how the benchmark called `name` separates train and test, "" where it is the usual way or unknown."""
    return load(name).source.cut if name in BENCHMARKS else ""


def load(name: str) -> Benchmark:
    """Return the benchmark called `name`, or that of own data: a path, or OWNER/NAME[@REVISION] of a Hub.

    Raises ClincotError naming the nearest known one, DataError and RecipeError for what own data declare wrongly.
    """
    if name in BENCHMARKS or not is_own(name):
        if name not in BENCHMARKS and Path(name).is_dir():
            raise DataError(f"benchmark {name!r}: is not known, but there is such a folder. Write ./{name} for it.")
        made: Benchmark = choose(BENCHMARKS, name, "benchmark")()
        check_parts(made, ("source", "patterns", "splits", "examples"), f"benchmark {name!r}")
        return made
    from clincot.benchmarks.own import OwnData  # pyarrow and Pillow, which --help does without

    return OwnData(name)
