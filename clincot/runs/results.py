"""A release in a run's store -> what a Python program reads of it: files, rows, numbers and where it was pushed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from clincot.errors import ClincotError, did_you_mean
from clincot.runs.releases import Release, tag_of
from clincot.runs.run import Run

if TYPE_CHECKING:
    from datasets import Dataset
    from pandas import DataFrame

    from clincot.stages.evaluate import Evaluation
    from clincot.stages.evaluate.results import Result

Part = Literal["pairs", "candidates", "regions"]
Numbers = Literal["results", "comparisons", "probes", "predictions"]
NUMBERS: tuple[Numbers, ...] = ("results", "comparisons", "probes", "predictions")
IMAGES = ("images", "side_images")  # columns of encoded images
PARTS: Mapping[Part, str] = {"pairs": "", "candidates": "-candidates", "regions": "-regions"}


@dataclass(frozen=True)
class StageResult:
    """What a stage made, as it is in the run's store.

    `release` names its repository, tag, commit and lineage, and says whether this call did work for it (`fresh`) and
    where it was pushed.
    """

    release: Release
    run: Run

    @cached_property
    def folder(self) -> Path:
        """The files of the repository at the release's tag, for reading only; fetched from the store on first use."""
        return self.run.store.snapshot(self.release.pin)


@dataclass(frozen=True)
class RoundData(StageResult):
    """A round's preference dataset."""

    @property
    def files(self) -> Mapping[Part, tuple[Path, ...]]:
        """The parquet files of each part: pairs, candidates, regions."""
        round_ = tag_of(self.release.lineage.round, self.run.start)
        return {part: tuple(sorted((self.folder / f"{round_}{end}").glob("*.parquet"))) for part, end in PARTS.items()}

    def load(self, part: Part = "pairs") -> Dataset:
        """Return the rows of one part as a `datasets.Dataset`, images decoded. Raises ClincotError for another part."""
        if part not in PARTS:
            raise ClincotError(f"part {part!r}: is not known.{did_you_mean(part, PARTS)}")
        from datasets import Dataset

        loaded: Dataset = Dataset.from_parquet([str(path) for path in self.files[part]])
        return loaded

    def frame(self, part: Part = "pairs") -> DataFrame:
        """Return the rows of one part as a pandas frame, without the images. Raises ClincotError for another part."""
        if part not in PARTS:
            raise ClincotError(f"part {part!r}: is not known.{did_you_mean(part, PARTS)}")
        from pyarrow.dataset import dataset

        rows = dataset([str(path) for path in self.files[part]])
        frame: DataFrame = rows.to_table([name for name in rows.schema.names if name not in IMAGES]).to_pandas()
        return frame


@dataclass(frozen=True)
class RoundAdapter(StageResult):
    """A round's LoRA adapter: `PeftModel.from_pretrained(base, folder)` loads it."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """Numbers of the training run: steps, pairs, first and last loss, by name."""
        return self.release.lineage.facts


@dataclass(frozen=True)
class RunResults(StageResult):
    """The results of the base, the rounds and the controls: `evaluation` holds every number and every answer."""

    evaluation: Evaluation

    def find(self, metric: str, policy: str, inference: str = "region", *, protocol: str = "") -> Result:
        """Return one number: `value`, `low` and `high` in [0, 1], over `n` questions.

        Args:
            metric: name of a measure of the protocol, as `closed_accuracy`.
            policy: `base`, `sft` or `round-1`, ...
            inference: `region` or `direct`.
            protocol: its label; empty: the protocol of the recipe.

        Raises:
            ClincotError: no row of the results is called so.
        """
        label = protocol or self.evaluation.protocol
        found = {
            "/".join((one.protocol, one.metric, one.policy, one.inference)): one
            for one in self.evaluation.results
            if not (one.control or one.by)
        }
        name = "/".join((label, metric, policy, inference))
        if name not in found:
            raise ClincotError(f"results: there is no {name}.{did_you_mean(name, found)}")
        return found[name]

    def frame(self, part: Numbers = "results") -> DataFrame:
        """Return the evaluation as a pandas frame, one line for each number, difference or answer.

        Args:
            part: `results` (every measure of every row, also by kind and modality), `comparisons` (differences on the
                same resamples), `probes` (docs/evaluation.md) or `predictions` (every answer with what it looked at).

        Raises:
            ClincotError: another part.
        """
        if part not in NUMBERS:
            raise ClincotError(f"part {part!r}: is not known.{did_you_mean(part, NUMBERS)}")
        from pandas import DataFrame

        made: Sequence[Any] = getattr(self.evaluation, part)
        names = [column.name for column in fields(made[0])] if made else []
        return DataFrame([{name: getattr(one, name) for name in names} for one in made])
