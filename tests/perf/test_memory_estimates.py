"""What doctor estimates for a build and for training against the peak of a real run, in a fresh process on a CPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf.memory import STAGES, make_models, measure

SIZE = "50 MB"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sized")
    make_models(folder, [SIZE])
    return folder


@pytest.mark.long
@pytest.mark.parametrize("stage", STAGES)
def test_an_estimate_is_within_15_percent_of_the_peak(stage: str, models: Path) -> None:
    peak = measure(stage, SIZE, models)
    assert peak.measured > 1.5 * sum(file.stat().st_size for file in (models / SIZE / "policy").glob("*.safetensors"))
    assert peak.good, peak
